"""Reads the failing tests to insert from the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phases.test_integration.errors import InvalidValue

MAX_TEST_CODE_LENGTH = 200_000  # characters
MAX_FIELD_LENGTH = 20_000
MAX_TESTS = 50
_FIELD = "testSuite.redTests"


@dataclass(frozen=True, slots=True)
class RedTest:
    """A test that fails on the vulnerable code; `code` is a test's body or complete tests.

    The other fields are data: they are escaped and never become code.
    """

    name: str
    code: str
    attack_vector: str
    expected_behavior: str = ""
    vulnerable_file: str = ""


def read_red_tests(value: object) -> list[RedTest]:
    """Read the request's `testSuite.redTests`.

    Raises InvalidValue naming the field.
    """
    if not isinstance(value, list | tuple) or not value:
        raise InvalidValue("must be a list of at least one test", field=_FIELD)
    if len(value) > MAX_TESTS:
        raise InvalidValue(f"must have at most {MAX_TESTS} tests", field=_FIELD)
    return [_read(f"{_FIELD}[{position}]", each) for position, each in enumerate(value)]


def _read(field: str, value: object) -> RedTest:
    if not isinstance(value, Mapping):
        raise InvalidValue("must be an object", field=field)
    return RedTest(
        name=_text(field, value, "testName"),
        code=_code(field, value),
        attack_vector=_text(field, value, "attackVector"),
        expected_behavior=_text(field, value, "expectedBehavior", required=False),
        vulnerable_file=_text(field, value, "vulnerableCodePath", required=False),
    )


def _text(
    field: str,
    value: Mapping[str, object],
    key: str,
    *,
    required: bool = True,
    longest: int = MAX_FIELD_LENGTH,
) -> str:
    """Return a string field; raises InvalidValue where it is missing, empty or too long."""
    text = value.get(key)
    if text is None and not required:
        return ""
    if not isinstance(text, str):
        raise InvalidValue("must be a string", field=f"{field}.{key}")
    if required and not text.strip():
        raise InvalidValue("must not be empty", field=f"{field}.{key}")
    if len(text) > longest:
        raise InvalidValue(f"must have at most {longest} characters", field=f"{field}.{key}")
    return text


def _code(field: str, value: Mapping[str, object]) -> str:
    code = _text(field, value, "testCode", longest=MAX_TEST_CODE_LENGTH)
    if "\0" in code or any("\ud800" <= char <= "\udfff" for char in code):
        raise InvalidValue("must be text without NUL and lone surrogates", field=f"{field}.testCode")
    return code.removeprefix("\ufeff")
