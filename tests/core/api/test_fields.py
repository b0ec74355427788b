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
    def test_rejects_lone_surrogate(self, field):
        with pytest.raises(ValidationError) as rejected:
            field.run_validation("half \ud83d a pair")
        assert rejected.value.get_codes() == ["surrogate_characters_not_allowed"]

    def test_accepts_any_other_character(self):
        assert StrictCharField().run_validation("naïve 🦊 \uffff") == "naïve 🦊 \uffff"


class Shape(serializers.Serializer):
    names = TextListField(max_length=3)
    note = StrictCharField(required=False)


class Unwritable(dict):
    """A value that is too large to format."""

    def __str__(self):
        raise AssertionError("the value was formatted")

    __repr__ = __str__


class TestWrongType:
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
    def test_is_rejected_without_formatting_the_value(self, field):
        with pytest.raises(ValidationError):
            field.run_validation(Unwritable(a=1))

    def test_error_shortens_an_invalid_choice(self):
        with pytest.raises(ValidationError) as rejected:
            StrictChoiceField(["a"]).run_validation("b" * 1_000_000)
        assert len(str(rejected.value.detail)) < 300

    @pytest.mark.parametrize("value", [True, 1.0, "1.0", "x", [1], "9" * 31])
    def test_integer_field_accepts_only_integers(self, value):
        with pytest.raises(ValidationError):
            StrictIntegerField().run_validation(value)


class TestObjectField:
    def test_returns_the_object_unchanged(self):
        value = {"a": {"b": [None]}}
        assert ObjectField().run_validation(value) is value

    @pytest.mark.parametrize("other", ["abc", 7, [1]])
    def test_rejects_other_types(self, other):
        with pytest.raises(ValidationError):
            ObjectField().run_validation(other)


class TestTextListField:
    @pytest.mark.parametrize("names", [[], ["", " a ", "naïve 🦊"]])
    def test_returns_texts_unchanged(self, names):
        assert TextListField().run_validation(names) == names

    @pytest.mark.parametrize("odd", [7, None, ["b"], "half \ud83d a pair", "a\0b"])
    def test_error_names_the_invalid_item(self, odd):
        with pytest.raises(ValidationError) as rejected:
            TextListField().run_validation(["a", odd, "c"])
        assert list(rejected.value.detail) == [1]

    def test_does_not_check_items_of_too_long_a_list(self):
        with pytest.raises(ValidationError) as rejected:
            TextListField(max_length=3).run_validation([7, 7, 7, 7])
        assert rejected.value.get_codes() == ["max_length"]

    @pytest.mark.parametrize("other", ["abc", 7, {"a": "b"}])
    def test_rejects_other_types(self, other):
        with pytest.raises(ValidationError):
            TextListField().run_validation(other)


class TestRead:
    def test_keeps_no_state_between_bodies(self):
        assert read(Shape, {"names": ["a"], "note": "first"}) == {"names": ["a"], "note": "first"}
        with pytest.raises(ValidationError) as rejected:
            read(Shape, {"note": "second"})
        assert list(rejected.value.detail) == ["names"]
        assert read(Shape, {"names": ["b"]}) == {"names": ["b"]}
