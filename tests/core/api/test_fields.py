import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core.api.fields import (
    ExactCharField,
    ObjectField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    TextListField,
    read,
)


class TestStrictCharField:
    @pytest.mark.parametrize("field", [StrictCharField(), ExactCharField(), StrictCharField(max_length=50)])
    def test_refuses_half_a_surrogate_pair(self, field):
        with pytest.raises(ValidationError) as refused:
            field.run_validation("half \ud83d a pair")
        assert refused.value.get_codes() == ["surrogate_characters_not_allowed"]

    def test_takes_any_other_character(self):
        assert StrictCharField().run_validation("naïve 🦊 \uffff") == "naïve 🦊 \uffff"


class Shape(serializers.Serializer):
    names = TextListField(max_length=3)
    note = StrictCharField(required=False)


class Unwritable(dict):
    """Stands for a value that takes long to write out."""

    def __str__(self):
        raise AssertionError("it was written out")

    __repr__ = __str__


class TestWrongTypes:
    @pytest.mark.parametrize(
        "field",
        [
            StrictCharField(),
            ExactCharField(),
            StrictIntegerField(),
            StrictChoiceField(["a"]),
            TextListField(),
        ],
    )
    def test_are_refused_without_writing_the_value_out(self, field):
        with pytest.raises(ValidationError):
            field.run_validation(Unwritable(a=1))

    def test_what_is_no_choice_is_repeated_as_far_as_a_person_reads_it(self):
        with pytest.raises(ValidationError) as refused:
            StrictChoiceField(["a"]).run_validation("b" * 1_000_000)
        assert len(str(refused.value.detail)) < 300

    @pytest.mark.parametrize("value", [True, 1.0, "1.0", "x", [1], "9" * 31])
    def test_a_whole_number_is_nothing_else(self, value):
        with pytest.raises(ValidationError):
            StrictIntegerField().run_validation(value)


class TestObjectField:
    def test_takes_an_object_as_it_is(self):
        value = {"a": {"b": [None]}}
        assert ObjectField().run_validation(value) is value

    @pytest.mark.parametrize("other", ["abc", 7, [1]])
    def test_refuses_what_is_none(self, other):
        with pytest.raises(ValidationError):
            ObjectField().run_validation(other)


class TestTextListField:
    @pytest.mark.parametrize("names", [[], ["", " a ", "naïve 🦊"]])
    def test_takes_texts_as_they_are(self, names):
        assert TextListField().run_validation(names) == names

    @pytest.mark.parametrize("odd", [7, None, ["b"], "half \ud83d a pair", "a\0b"])
    def test_names_the_one_that_is_none(self, odd):
        with pytest.raises(ValidationError) as refused:
            TextListField().run_validation(["a", odd, "c"])
        assert list(refused.value.detail) == [1]

    def test_does_not_look_at_more_than_it_may_have(self):
        with pytest.raises(ValidationError) as refused:
            TextListField(max_length=3).run_validation([7, 7, 7, 7])
        assert refused.value.get_codes() == ["max_length"]

    @pytest.mark.parametrize("other", ["abc", 7, {"a": "b"}])
    def test_refuses_what_is_no_list(self, other):
        with pytest.raises(ValidationError):
            TextListField().run_validation(other)


class TestRead:
    def test_keeps_nothing_of_one_body_for_the_next(self):
        assert read(Shape, {"names": ["a"], "note": "first"}) == {"names": ["a"], "note": "first"}
        with pytest.raises(ValidationError) as refused:
            read(Shape, {"note": "second"})
        assert list(refused.value.detail) == ["names"]
        assert read(Shape, {"names": ["b"]}) == {"names": ["b"]}
