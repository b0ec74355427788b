"""Fields that take a value as it was sent, or not at all, and how a body is read by a shape of them."""

import re
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

Shape = type[serializers.Serializer[Any]]

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

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
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
        if isinstance(data, bool | float) or (isinstance(data, str) and not DIGITS.match(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


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
            return super().run_child_validation(data)
        return data


@cache
def _make(shape: Shape) -> serializers.Serializer[Any]:
    return shape()


def read(shape: Shape, data: Any) -> dict[str, Any]:
    """The values of a body in that shape. Raises DRF's ValidationError.

    By one instance of the shape for all requests: a new one copies every field, and reading leaves no trace.
    """
    values: dict[str, Any] = _make(shape).run_validation(data)
    return values
