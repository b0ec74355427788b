"""Comments that name a test and its attack, and names made of data."""

from __future__ import annotations

from collections.abc import Iterable

from phases.test_integration.red_tests import RedTest
from phases.test_integration.taken import Taken
from phases.test_integration.words import words_of

LONGEST_NAME = 80


def marks(red_test: RedTest, sign: str) -> list[str]:
    """One line each, begun with the comment's sign; by them a later request finds the test again."""
    lines = [
        f"{sign} security: {as_comment(red_test.name)}",
        f"{sign} attack vector: {as_comment(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"{sign} expected: {as_comment(red_test.expected_behavior)}")
    return lines


def as_comment(text: str) -> str:
    """One line that ends no comment in any language: no `?>`, and no `\\u` that Java would translate."""
    shown = "".join(char if char.isprintable() else _escaped(char) for char in text)
    shown = shown.replace("\\", "\\\\") if "\\u" in shown else shown
    return shown.replace("?>", "? >").replace("*/", "* /").strip()


def name_words(red_test: RedTest) -> list[str]:
    """The words of a function's name, `security` among them, whatever the test is called."""
    words = words_of(red_test.name[:LONGEST_NAME])
    if words[:1] in (["test"], ["tests"]):
        del words[0]
    return words if "security" in words else ["security", *words]


def unique(name: str, taken: Iterable[str]) -> str:
    """The name, or the name with the first number that makes it new, in any case of letters."""
    return Taken(taken, folds=True).take(name)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
