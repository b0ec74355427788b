"""Scores a file's groups by what the test and the vulnerable file have in common with each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from phases.test_integration.languages.shared.outline import Group, Outline
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import split_extension, split_path, words_of

# A group named for security wins; then imports from the vulnerable file; then names.
_SECURITY, _IMPORTED, _MODULE_WORD, _USED_NAME, _TEST_WORD = 1000, 10, 5, 2, 1
_MAX_PATH_LENGTH = 400  # characters; nesting in a hostile file is unlimited
_MAX_NAMES = 50  # that are searched for in every group
_STOP_WORDS = frozenset(
    {"test", "tests", "case", "security", "the", "a", "an", "in", "of", "is", "to", "it", "should"}
)


@dataclass(frozen=True, slots=True)
class Topics:
    """What a test is about; `imported` are the file's names for things from the vulnerable file.

    `imported` and `used_names` map each name to its offsets in the file.
    """

    module_words: frozenset[str]
    test_words: frozenset[str]
    imported: Mapping[str, Sequence[int]]
    used_names: Mapping[str, Sequence[int]]


def find_topics(outline: Outline, red_test: RedTest, used_names: Iterable[str]) -> Topics:
    """Return what the test is about, from its name, code and vulnerable file."""
    _, file_name = split_path(red_test.vulnerable_file)
    stem = split_extension(file_name)[0] if file_name else ""
    module = words_of(stem)
    imported = [name for name, origin in outline.origins.items() if module and _last_words(origin) == module]
    return Topics(
        module_words=_keywords(module),
        test_words=_keywords(words_of(red_test.name)),
        imported=outline.occurrences(sorted(imported)[:_MAX_NAMES]),
        used_names=outline.occurrences(sorted(used_names)[:_MAX_NAMES]),
    )


def score_group(group: Group, topics: Topics) -> int:
    """Return the group's score; 0 means no evidence."""
    named = set(words_of(group.path[-_MAX_PATH_LENGTH:]))
    about = _keywords(named)
    return (
        _SECURITY * ("security" in named)
        + _IMPORTED * _count(topics.imported, group)
        + _MODULE_WORD * len(topics.module_words & about)
        + _USED_NAME * _count(topics.used_names, group)
        + _TEST_WORD * len(topics.test_words & about)
    )


def _count(occurrences: Mapping[str, Sequence[int]], group: Group) -> int:
    """Return how many of the names occur in the group."""
    start, end = group.node.start_byte, group.node.end_byte
    firsts = ((offsets, bisect_left(offsets, start)) for offsets in occurrences.values())
    return sum(first < len(offsets) and offsets[first] < end for offsets, first in firsts)


def _last_words(origin: str) -> list[str]:
    return words_of(origin.rpartition(".")[2])


def _keywords(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_singular, set(words) - _STOP_WORDS))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
