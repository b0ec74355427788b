"""The cache's values in Redis as JSON: reading what somebody else wrote there runs no code."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

# Marks what JSON has no type for: {"__type__": name, "value": its JSON}.
TAG = "__type__"
Codec = tuple[type, Callable[[Any], Any], Callable[[Any], Any]]
# Looked through in this order: a datetime is a date too.
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
    """A value in Redis that we did not write, such as an earlier release's pickle."""


class JsonSerializer:
    """The `serializer` option of Django's Redis cache.

    Gives back what was put in, of these types: None, bool, int, float, str, list, dict, and those in CODECS.
    Raises TypeError for any other when it is written, UnreadableValue for anything else when it is read.
    """

    def dumps(self, obj: Any) -> Any:
        # A bare int, so that Redis itself can count with it.
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
    raise TypeError(f"The cache keeps plain values, not {type(value).__name__}.")


def _encode_dict(value: dict[Any, Any]) -> dict[str, Any]:
    """As pairs where its keys are no texts, or one of them is the tag."""
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
