"""Fields that take a value as it was sent, or not at all, and how a body is read by a shape of them."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

Shape = type[serializers.Serializer[Any]]

MOST_ERRORS = 10
LONGEST_SHOWN = 60
DIGITS = re.compile(r"-?[0-9]{1,30}\Z", re.ASCII)


class NoSurrogates(ProhibitSurrogateCharactersValidator):
    """The framework's check, which looks at each character in turn, only where it has one to refuse."""

    def __call__(self, value: Any) -> None:
        try:
            str(value).encode()
        except UnicodeEncodeError:
            super().__call__(value)


# What `str.strip` takes off: a text of these alone is blank.
SPACE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NOT_BLANK = f"[^{SPACE}]"


class StrictCharField(serializers.CharField):
    """Text that was sent as text: a number is a wrong type, not a spelling of it."""

    def __init__(self, *, openapi: dict[str, Any] | None = None, **options: Any) -> None:
        """`openapi` is what the API's description adds, such as a limit that the engine checks."""
        super().__init__(**options)
        self.openapi: dict[str, Any] = ({} if self.allow_blank else {"pattern": NOT_BLANK}) | (openapi or {})
        self.validators = [
            NoSurrogates() if isinstance(each, ProhibitSurrogateCharactersValidator) else each
            for each in self.validators
        ]

    def run_validation(self, data: Any = empty) -> Any:
        # Before the framework writes out whatever it is, to see whether that is blank.
        if not (data is empty or data is None or isinstance(data, str)):
            self.fail("invalid")
        return super().run_validation(data)


class StrictChoiceField(serializers.ChoiceField):
    """One of a few texts. What is none of them is repeated in the error only as far as a person reads it."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        if len(data) > LONGEST_SHOWN:
            self.fail("invalid_choice", input=f"{data[:LONGEST_SHOWN]}…")
        return super().to_internal_value(data)


class ExactCharField(StrictCharField):
    """Text of which not a byte may change: neither trimmed nor refused for being empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **options)


class StrictIntegerField(serializers.IntegerField):
    """A whole number that was sent as a number, or as its digits."""

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
    """A JSON object whose members are not looked at: there may be hundreds of thousands."""

    def run_child_validation(self, data: Mapping[str, Any]) -> Any:
        return data


class TextListField(serializers.ListField):
    """Texts, each as it was sent.

    Their number is asked before they are looked at, since a body has room for millions. Then all are looked
    at together, and one by one only where one is not as it must be.
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
            raise serializers.ValidationError(self._describe_wrong(data)) from None
        return data

    def _describe_wrong(self, data: list[Any]) -> Any:
        """What is wrong with the first few; an answer with thousands of them helps nobody."""
        wrong: dict[int, Any] = {}
        for position, each in enumerate(data):
            try:
                self.child.run_validation(each)
            except serializers.ValidationError as error:
                wrong[position] = error.detail
            if len(wrong) == MOST_ERRORS:
                break
        return wrong


@cache
def _make(shape: Shape) -> serializers.Serializer[Any]:
    return shape()


def read(shape: Shape, data: Any) -> dict[str, Any]:
    """The values of a body in that shape. Raises DRF's ValidationError.

    By one instance of the shape for all requests: a new one copies every field, and reading leaves no trace.
    """
    values: dict[str, Any] = _make(shape).run_validation(data)
    return values
