"""Comments that identify an inserted test, and names derived from request data."""

from __future__ import annotations

from collections.abc import Iterable

from phases.test_integration.plan.used_names import UsedNames
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import words_of

MAX_NAME_LENGTH = 80


def markers(red_test: RedTest, sign: str) -> list[str]:
    """Return one comment line each for name, attack and expectation; a later request finds them again."""
    lines = [
        f"{sign} security: {as_comment(red_test.name)}",
        f"{sign} attack vector: {as_comment(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"{sign} expected: {as_comment(red_test.expected_behavior)}")
    return lines


def as_comment(text: str) -> str:
    """Return one line that ends no comment: no `?>`, `*/`, or `\\u` that Java would translate."""
    shown = "".join(char if char.isprintable() else _escaped(char) for char in text)
    shown = shown.replace("\\", "\\\\") if "\\u" in shown else shown
    return shown.replace("?>", "? >").replace("*/", "* /").strip()


def name_words(red_test: RedTest) -> list[str]:
    """Return the words of a function's name, including `security`."""
    words = words_of(red_test.name[:MAX_NAME_LENGTH])
    if words[:1] in (["test"], ["tests"]):
        del words[0]
    return words if "security" in words else ["security", *words]


def make_unique(name: str, used_names: Iterable[str]) -> str:
    """Return the name, with the first number that makes it unique if it is used in any case."""
    return UsedNames(used_names, ignores_case=True).reserve(name)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
