from django import forms

from rsolv.portal.widgets import LongSelect


class ChoiceForm(forms.Form):
    place = forms.ChoiceField(
        choices=(("", "UTC"), ("a&b", "A <b> C")), required=False, widget=LongSelect(attrs={"class": "wide"})
    )


class TestLongSelect:
    def test_renders_the_same_options_as_django(self) -> None:
        html = str(ChoiceForm(initial={"place": "a&b"})["place"])
        theirs = forms.Select(attrs={"class": "wide"}, choices=ChoiceForm.base_fields["place"].choices)
        assert html.count("<option") == theirs.render("place", "a&b").count("<option") == 2
        assert '<option value="a&amp;b" selected>A &lt;b&gt; C</option>' in html

    def test_has_name_id_and_attributes(self) -> None:
        html = str(ChoiceForm()["place"])
        assert all(part in html for part in ('name="place"', 'id="id_place"', 'class="wide"'))

    def test_selects_the_empty_option_by_default(self) -> None:
        assert '<option value="" selected>' in str(ChoiceForm()["place"])
