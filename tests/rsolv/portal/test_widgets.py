from django import forms

from rsolv.portal.widgets import LongSelect


class ChoiceForm(forms.Form):
    place = forms.ChoiceField(
        choices=(("", "UTC"), ("a&b", "A <b> C")), required=False, widget=LongSelect(attrs={"class": "wide"})
    )


class TestLongSelect:
    def test_reads_as_django_writes_it(self) -> None:
        html = str(ChoiceForm(initial={"place": "a&b"})["place"])
        theirs = forms.Select(attrs={"class": "wide"}, choices=ChoiceForm.base_fields["place"].choices)
        assert html.count("<option") == theirs.render("place", "a&b").count("<option") == 2
        assert '<option value="a&amp;b" selected>A &lt;b&gt; C</option>' in html

    def test_has_name_id_and_attributes(self) -> None:
        html = str(ChoiceForm()["place"])
        assert all(part in html for part in ('name="place"', 'id="id_place"', 'class="wide"'))

    def test_chooses_the_empty_one_where_nothing_is_chosen(self) -> None:
        assert '<option value="" selected>' in str(ChoiceForm()["place"])
