"""Fields that take a value as it was sent, or not at all."""

import re
from typing import Any

from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

DIGITS = re.compile(r"-?[0-9]{1,30}\Z", re.ASCII)


class NoSurrogates(ProhibitSurrogateCharactersValidator):
    """The framework's check, which looks at each character in turn, only where it has one to refuse."""

    def __call__(self, value: Any) -> None:
        try:
            str(value).encode()
        except UnicodeEncodeError:
            super().__call__(value)


class StrictCharField(serializers.CharField):
    """Text that was sent as text: a number is a wrong type, not a spelling of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
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

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool | float) or (isinstance(data, str) and not DIGITS.match(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class BoundedListField(serializers.ListField):
    """A list whose length is asked before its items are looked at: a body has room for millions."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)
