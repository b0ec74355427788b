"""How much speaks for a group: what the test and the vulnerable file have in common with it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from phases.test_integration.grouped.outline import Group, Outline
from phases.test_integration.red_tests import RedTest
from phases.test_integration.words import split_extension, split_path, words_of

# A group named for security is the place; then what is imported from the vulnerable file; then names.
_SECURITY, _IMPORTED, _MODULE_WORD, _USED_NAME, _TEST_WORD = 1000, 10, 5, 2, 1
_LONGEST_PATH = 400  # characters of a path that are read; groups may stand in each other very deep
_MOST_NAMES = 50  # that are looked for in every group
_TELLS_NOTHING = frozenset(
    {"test", "tests", "case", "security", "the", "a", "an", "in", "of", "is", "to", "it", "should"}
)


@dataclass(frozen=True, slots=True)
class Clues:
    """What a test is about. `imported` are the file's own names for things of the vulnerable file.

    Of those and of `used_names` each has the offsets at which it stands in the file.
    """

    module_words: frozenset[str]
    test_words: frozenset[str]
    imported: Mapping[str, Sequence[int]]
    used_names: Mapping[str, Sequence[int]]


def clues(outline: Outline, red_test: RedTest, used_names: Iterable[str]) -> Clues:
    _, file_name = split_path(red_test.vulnerable_file)
    stem = split_extension(file_name)[0] if file_name else ""
    module = words_of(stem)
    imported = [name for name, origin in outline.origins.items() if module and _last_words(origin) == module]
    return Clues(
        module_words=_telling(module),
        test_words=_telling(words_of(red_test.name)),
        imported=outline.places(sorted(imported)[:_MOST_NAMES]),
        used_names=outline.places(sorted(used_names)[:_MOST_NAMES]),
    )


def affinity(group: Group, clues: Clues) -> int:
    """0 where nothing speaks for it."""
    named = set(words_of(group.path[-_LONGEST_PATH:]))
    about = _telling(named)
    return (
        _SECURITY * ("security" in named)
        + _IMPORTED * _count(clues.imported, group)
        + _MODULE_WORD * len(clues.module_words & about)
        + _USED_NAME * _count(clues.used_names, group)
        + _TEST_WORD * len(clues.test_words & about)
    )


def _count(places: Mapping[str, Sequence[int]], group: Group) -> int:
    """How many of the names stand in the group."""
    start, end = group.node.start_byte, group.node.end_byte
    firsts = ((offsets, bisect_left(offsets, start)) for offsets in places.values())
    return sum(first < len(offsets) and offsets[first] < end for offsets, first in firsts)


def _last_words(origin: str) -> list[str]:
    return words_of(origin.rpartition(".")[2])


def _telling(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_singular, set(words) - _TELLS_NOTHING))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
