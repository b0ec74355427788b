"""Strict serializer fields, which convert nothing, and validation of a request body by a serializer class."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

Shape = type[serializers.Serializer[Any]]

MAX_ERRORS = 10
MAX_QUOTED_LENGTH = 60
DIGITS = re.compile(r"-?[0-9]{1,30}\Z", re.ASCII)


class NoSurrogates(ProhibitSurrogateCharactersValidator):
    """DRF's surrogate check, run only on strings that contain a surrogate.

    DRF's own loops over each character, which is slow for large texts.
    """

    def __call__(self, value: Any) -> None:
        try:
            str(value).encode()
        except UnicodeEncodeError:
            super().__call__(value)


# Every character that `str.strip` removes. A string of these alone counts as blank.
SPACE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NOT_BLANK = f"[^{SPACE}]"


class StrictCharField(serializers.CharField):
    """A string field that rejects numbers, where DRF would convert them."""

    def __init__(self, *, openapi: dict[str, Any] | None = None, **options: Any) -> None:
        """`openapi` is added to the field's schema, for limits that the schema generator cannot see."""
        super().__init__(**options)
        self.openapi: dict[str, Any] = ({} if self.allow_blank else {"pattern": NOT_BLANK}) | (openapi or {})
        self.validators = [
            NoSurrogates() if isinstance(each, ProhibitSurrogateCharactersValidator) else each
            for each in self.validators
        ]

    def run_validation(self, data: Any = empty) -> Any:
        # DRF calls str() on any value to see whether it is blank, which is slow for a large object.
        if not (data is empty or data is None or isinstance(data, str)):
            self.fail("invalid")
        return super().run_validation(data)


class StrictChoiceField(serializers.ChoiceField):
    """One of a few strings. A rejected value is quoted in the error, cut to 60 characters."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        if len(data) > MAX_QUOTED_LENGTH:
            self.fail("invalid_choice", input=f"{data[:MAX_QUOTED_LENGTH]}…")
        return super().to_internal_value(data)


class ExactCharField(StrictCharField):
    """A string stored unchanged: not trimmed, and allowed to be empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **options)


class StrictIntegerField(serializers.IntegerField):
    """A whole number, sent as a JSON number or as a string of digits."""

    @property
    def openapi(self) -> dict[str, Any]:
        number = {"type": "integer", "minimum": self.min_value, "maximum": self.max_value}
        digits = {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}
        return {"anyOf": [number, digits], "type": None, "minimum": None, "maximum": None, "format": None}

    def to_internal_value(self, data: Any) -> int:
        is_whole = isinstance(data, int) and not isinstance(data, bool)
        if not is_whole and not (isinstance(data, str) and DIGITS.match(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class ObjectField(serializers.DictField):
    """A JSON object whose members are not validated, since there may be hundreds of thousands."""

    def run_child_validation(self, data: Mapping[str, Any]) -> Any:
        return data


class TextListField(serializers.ListField):
    """A list of strings, each kept unchanged.

    The length is checked first, since a body has room for millions of items. The items are then validated as
    one joined string, and one by one only if that fails.
    """

    child = ExactCharField()

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        try:
            self.child.run_validation("".join(data))
        except (TypeError, serializers.ValidationError):
            raise serializers.ValidationError(self._list_item_errors(data)) from None
        return data

    def _list_item_errors(self, data: list[Any]) -> Any:
        """Return the errors of the first ten invalid items, by position."""
        wrong: dict[int, Any] = {}
        for position, each in enumerate(data):
            try:
                self.child.run_validation(each)
            except serializers.ValidationError as error:
                wrong[position] = error.detail
            if len(wrong) == MAX_ERRORS:
                break
        return wrong


@cache
def _get_instance(shape: Shape) -> serializers.Serializer[Any]:
    return shape()


def read(shape: Shape, data: Any) -> dict[str, Any]:
    """Validate a body with a serializer class and return its values. Raises DRF's ValidationError.

    One instance per class serves all requests: a new one would copy every field, and validation leaves no
    state in it.
    """
    values: dict[str, Any] = _get_instance(shape).run_validation(data)
    return values
