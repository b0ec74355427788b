"""Chooses among a file's groups by what the test and the vulnerable file have in common with each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from itertools import islice

from phases.test_integration.javascript.layout import Group, Layout
from phases.test_integration.red_tests import RedTest
from phases.test_integration.words import split_extension, split_path, words_of

SECURITY, _IMPORTED, _DECLARED, _MODULE_WORD, _USED_NAME, _TEST_WORD = 1000, 10, 8, 5, 2, 1
_STOP_WORDS = "test tests spec case security js ts the a an in of is to it should and not for on with does"
_TELLS_NOTHING = frozenset(_STOP_WORDS.split())
_MOST_NAMES = 40
_MOST_IMPORTED = 100
_WORD = re.compile(rb"[\w$\x80-\xff]+")


class Affinity:
    """How much speaks for a group; 0 where nothing does."""

    def __init__(self, layout: Layout, red_test: RedTest, used: Iterable[str]) -> None:
        directories, file_name = split_path(red_test.vulnerable_file)
        stem = split_extension(file_name)[0] if file_name else ""
        stem = directories[-1] if stem == "index" and directories else stem
        self._layout = layout
        self._module_words = _words(stem)
        self._test_words = _words(red_test.name)
        self._imported = list(islice(_imported_from(layout, stem, directories), _MOST_IMPORTED))
        self._used = [name for name in used if len(name) > 1][:_MOST_NAMES]
        self._places = self._occurrences({*self._imported, *self._used})

    def of(self, group: Group) -> int:
        title = set(words_of(group.title))
        about = set(map(_singular, title))
        start, end = group.body.start_byte, group.body.end_byte
        return (
            SECURITY * ("security" in title)
            + _IMPORTED * sum(self._stands(name, start, end) for name in self._imported)
            + _USED_NAME * sum(self._stands(name, start, end) for name in self._used)
            + _MODULE_WORD * len(self._module_words & about)
            + _TEST_WORD * len(self._test_words & about)
        )

    def declares(self, group: Group, free: Iterable[str]) -> int:
        """The same for names of the test that only the group, or one around it, binds."""
        own = self._layout.scope_names(group) - self._layout.bound
        return _DECLARED * len(own & set(free))

    def _stands(self, name: str, start: int, end: int) -> bool:
        places = self._places.get(name, [])
        index = bisect_left(places, start)
        return index < len(places) and places[index] < end

    def _occurrences(self, names: set[str]) -> dict[str, list[int]]:
        if not names:
            return {}
        wanted = {name.encode() for name in names}
        found: dict[str, list[int]] = {}
        for match in _WORD.finditer(self._layout.document.content):
            if match[0] in wanted:
                found.setdefault(match[0].decode(), []).append(match.start())
        return found


def _imported_from(layout: Layout, stem: str, directories: list[str]) -> dict[str, None]:
    names: dict[str, None] = {}
    for each in layout.imports if stem else ():
        parts, file_name = split_path(each.source)
        base = re.sub(r"\.(?:[cm]?[jt]sx?|vue|svelte)$", "", file_name)
        if base == stem or (base in ("index", ".", "..") and directories[-1:] == parts[-1:] == [stem]):
            names |= dict.fromkeys(each.names)
    return names


def _words(text: str) -> frozenset[str]:
    return frozenset(map(_singular, set(words_of(text)) - _TELLS_NOTHING))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
