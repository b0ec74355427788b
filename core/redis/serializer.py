"""Serialize cache values as JSON: reading a value planted in Redis runs no code, as a pickle would."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

# Marks types that JSON lacks: {"__type__": name, "value": its JSON}.
TAG = "__type__"
Codec = tuple[type, Callable[[Any], Any], Callable[[Any], Any]]
# The order matters: a datetime is also a date.
CODECS: dict[str, Codec] = {
    "tuple": (tuple, list, tuple),
    "set": (set, list, set),
    "frozenset": (frozenset, list, frozenset),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "timedelta": (
        timedelta,
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda v: timedelta(*v),
    ),
    "decimal": (Decimal, str, Decimal),
    "uuid": (UUID, str, UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
}


class UnreadableValue(ValueError):
    """A value in Redis that this cache did not write, such as a pickle of an earlier release."""


class JsonSerializer:
    """The `serializer` option of Django's Redis cache.

    Restores exactly these types: None, bool, int, float, str, list, dict, and those in CODECS. Writing any
    other raises TypeError; reading anything else raises UnreadableValue.
    """

    def dumps(self, obj: Any) -> Any:
        # An int without JSON, so that Redis can increment it.
        return obj if type(obj) is int else json.dumps(_encode(obj), separators=(",", ":"))

    def loads(self, data: Any) -> Any:
        try:
            return _decode(json.loads(data))
        except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
            raise UnreadableValue("not a value that this cache has written") from error


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_encode(each) for each in value]
    if isinstance(value, dict):
        return _encode_dict(value)
    for name, (kind, encode, _) in CODECS.items():
        if isinstance(value, kind):
            return {TAG: name, "value": _encode(encode(value))}
    raise TypeError(f"The cache stores plain values, not {type(value).__name__}.")


def _encode_dict(value: dict[Any, Any]) -> dict[str, Any]:
    """Encode as a list of pairs if a key is not a string or equals the tag."""
    if all(type(key) is str for key in value) and TAG not in value:
        return {key: _encode(each) for key, each in value.items()}
    return {TAG: "dict", "value": [[_encode(key), _encode(each)] for key, each in value.items()]}


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(each) for each in value]
    if not isinstance(value, dict):
        return value
    if TAG not in value:
        return {key: _decode(each) for key, each in value.items()}
    inner = _decode(value["value"])
    return dict(inner) if value[TAG] == "dict" else CODECS[value[TAG]][2](inner)
