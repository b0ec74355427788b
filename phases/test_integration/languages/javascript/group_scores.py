"""Scores a file's groups by what the test and the vulnerable file have in common with each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from itertools import islice

from phases.test_integration.languages.javascript.outline import Group, Outline
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import split_extension, split_path, words_of

SECURITY, _IMPORTED, _DECLARED, _MODULE_WORD, _USED_NAME, _TEST_WORD = 1000, 10, 8, 5, 2, 1
_STOP_WORD_LIST = (
    "test tests spec case security js ts the a an in of is to it should and not for on with does"
)
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
_MAX_NAMES = 40
_MAX_IMPORTED = 100
_WORD = re.compile(rb"[\w$\x80-\xff]+")


class GroupScorer:
    """Scores groups for one test; 0 means no evidence."""

    def __init__(self, outline: Outline, red_test: RedTest, used: Iterable[str]) -> None:
        directories, file_name = split_path(red_test.vulnerable_file)
        stem = split_extension(file_name)[0] if file_name else ""
        # An index file is named after its directory.
        stem = directories[-1] if stem == "index" and directories else stem
        self._outline = outline
        self._module_words = _words(stem)
        self._test_words = _words(red_test.name)
        self._imported = list(islice(_imported_from(outline, stem, directories), _MAX_IMPORTED))
        self._used = [name for name in used if len(name) > 1][:_MAX_NAMES]
        self._positions = self._occurrences({*self._imported, *self._used})

    def score(self, group: Group) -> int:
        """Return the group's score from its title and from names that occur in it."""
        title = set(words_of(group.title))
        about = set(map(_singular, title))
        start, end = group.body.start_byte, group.body.end_byte
        return (
            SECURITY * ("security" in title)
            + _IMPORTED * sum(self._occurs(name, start, end) for name in self._imported)
            + _USED_NAME * sum(self._occurs(name, start, end) for name in self._used)
            + _MODULE_WORD * len(self._module_words & about)
            + _TEST_WORD * len(self._test_words & about)
        )

    def score_declared(self, group: Group, free: Iterable[str]) -> int:
        """Return the score for free names of the test that only the group or its parents bind."""
        own = self._outline.scope_names(group) - self._outline.bound
        return _DECLARED * len(own & set(free))

    def _occurs(self, name: str, start: int, end: int) -> bool:
        positions = self._positions.get(name, [])
        index = bisect_left(positions, start)
        return index < len(positions) and positions[index] < end

    def _occurrences(self, names: set[str]) -> dict[str, list[int]]:
        if not names:
            return {}
        wanted = {name.encode() for name in names}
        found: dict[str, list[int]] = {}
        for match in _WORD.finditer(self._outline.document.content):
            if match[0] in wanted:
                found.setdefault(match[0].decode(), []).append(match.start())
        return found


def _imported_from(outline: Outline, stem: str, directories: list[str]) -> dict[str, None]:
    names: dict[str, None] = {}
    for each in outline.imports if stem else ():
        parts, file_name = split_path(each.source)
        base = re.sub(r"\.(?:[cm]?[jt]sx?|vue|svelte)$", "", file_name)
        if base == stem or (base in ("index", ".", "..") and directories[-1:] == parts[-1:] == [stem]):
            names |= dict.fromkeys(each.names)
    return names


def _words(text: str) -> frozenset[str]:
    return frozenset(map(_singular, set(words_of(text)) - _STOP_WORDS))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
