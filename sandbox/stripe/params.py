"""Declared parameters of each endpoint; anything else is rejected with Stripe's error codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from sandbox.stripe.errors import bad_parameter
from sandbox.stripe.forms import as_list


class Field(Protocol):
    def read(self, value: Any, name: str) -> Any: ...


@dataclass(frozen=True)
class Text:
    """A string; an empty one unsets the field and reads as None."""

    longest: int = 5000

    def read(self, value: Any, name: str) -> str | None:
        if not isinstance(value, str):
            raise bad_parameter(f"Invalid string: {value}", "parameter_invalid_string", name)
        if len(value) > self.longest:
            message = f"Invalid string: {value[:20]}…; must be at most {self.longest} characters"
            raise bad_parameter(message, None, name)
        return value or None


@dataclass(frozen=True)
class Integer:
    low: int = -(2**53)
    high: int = 2**53

    def read(self, value: Any, name: str) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise bad_parameter(f"Invalid integer: {value}", "parameter_invalid_integer", name) from None
        if number < self.low:
            message = f"This value must be greater than or equal to {self.low}."
            raise bad_parameter(message, "parameter_invalid_integer", name)
        if number > self.high:
            message = f"This value must be less than or equal to {self.high}."
            raise bad_parameter(message, "parameter_invalid_integer", name)
        return number


@dataclass(frozen=True)
class Number:
    """A decimal, kept as its exact text."""

    def read(self, value: Any, name: str) -> str:
        try:
            return format(Decimal(value).normalize(), "f")
        except (InvalidOperation, TypeError, ValueError):
            raise bad_parameter(f"Invalid decimal: {value}", None, name) from None


@dataclass(frozen=True)
class Flag:
    def read(self, value: Any, name: str) -> bool:
        if value not in ("true", "false", "True", "False"):
            raise bad_parameter(f"Invalid boolean: {value}", None, name)
        return str(value).lower() == "true"


@dataclass(frozen=True)
class Choice:
    options: tuple[str, ...]

    def read(self, value: Any, name: str) -> str | None:
        if value in self.options:
            return str(value)
        listed = (
            ", ".join(self.options[:-1]) + f", or {self.options[-1]}" if self.options[1:] else self.options[0]
        )
        raise bad_parameter(f"Invalid {name}: must be one of {listed}", None, name)


@dataclass(frozen=True)
class Either:
    """A fixed word, or else what the other field accepts."""

    words: tuple[str, ...]
    other: Field

    def read(self, value: Any, name: str) -> Any:
        return value if value in self.words else self.other.read(value, name)


@dataclass(frozen=True)
class Mapped:
    """A mapping of free keys to strings; an empty string unsets all. Metadata obeys Stripe's limits."""

    keys: int = 50
    longest: int = 500

    def read(self, value: Any, name: str) -> dict[str, str] | None:
        if value == "":
            return None
        if not isinstance(value, dict) or any(not isinstance(text, str) for text in value.values()):
            raise bad_parameter(f"Invalid object: {name}", "parameter_invalid_object", name)
        if len(value) > self.keys:
            raise bad_parameter(f"You can have at most {self.keys} keys in {name}", None, name)
        for key, text in value.items():
            if len(text) > self.longest:
                message = f"Metadata values can have up to {self.longest} characters"
                raise bad_parameter(message, None, f"{name}[{key}]")
        return value


@dataclass(frozen=True)
class Listed:
    each: Field

    def read(self, value: Any, name: str) -> list[Any]:
        entries = [] if value == "" else as_list(value)
        if entries is None:
            raise bad_parameter("Invalid array", None, name)
        return [self.each.read(entry, f"{name}[{index}]") for index, entry in enumerate(entries)]


@dataclass(frozen=True)
class Filled:
    """A field that may be omitted, but not empty."""

    field: Field

    def read(self, value: Any, name: str) -> Any:
        if value == "":
            message = f"You passed an empty string for '{name}', which cannot be unset."
            raise bad_parameter(message, "parameter_invalid_empty", name)
        return self.field.read(value, name)


@dataclass(frozen=True)
class Required(Filled):
    """A field that must be present and not empty."""


@dataclass(frozen=True)
class Shape:
    """Named fields and no others. An empty string unsets the whole and reads as None."""

    fields: Mapping[str, Field]

    def read(self, value: Any, name: str = "") -> dict[str, Any] | None:
        if value == "" and name:
            return None
        if not isinstance(value, dict):
            raise bad_parameter("Invalid object", "parameter_invalid_object", name)
        for key in value:
            if key not in self.fields:
                full = _join(name, key)
                raise bad_parameter(f"Received unknown parameter: {full}", "parameter_unknown", full)
        for key, field in self.fields.items():
            if isinstance(field, Required) and key not in value:
                full = _join(name, key)
                raise bad_parameter(f"Missing required param: {full}.", "parameter_missing", full)
        return {key: self.fields[key].read(value[key], _join(name, key)) for key in value}


@dataclass(frozen=True)
class Span:
    """A timestamp, or bounds `gt`, `gte`, `lt`, `lte`; read as bounds."""

    def read(self, value: Any, name: str) -> dict[str, int]:
        if isinstance(value, str):
            timestamp = Integer().read(value, name)
            return {"gte": timestamp, "lte": timestamp}
        bounds = Shape({bound: Integer() for bound in ("gt", "gte", "lt", "lte")}).read(value, name)
        return bounds or {}


def _join(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def within(timestamp: int, bounds: Mapping[str, int] | None) -> bool:
    """Whether the timestamp lies within the bounds that a Span read."""
    bounds = bounds or {}
    return (
        timestamp > bounds.get("gt", timestamp - 1)
        and timestamp >= bounds.get("gte", timestamp)
        and timestamp < bounds.get("lt", timestamp + 1)
        and timestamp <= bounds.get("lte", timestamp)
    )


def merged(old: Mapping[str, str], new: Mapping[str, str] | None) -> dict[str, str]:
    """Return the metadata after an update: given keys replaced, emptied keys removed, None clears all."""
    if new is None:
        return {}
    return {key: text for key, text in {**old, **new}.items() if text != ""}


METADATA = Mapped()
ADDRESS = Shape({key: Text() for key in ("city", "country", "line1", "line2", "postal_code", "state")})
LIST: dict[str, Field] = {
    "limit": Integer(1, 100),
    "starting_after": Text(),
    "ending_before": Text(),
    "created": Span(),
}
