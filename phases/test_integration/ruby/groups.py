"""Chooses among a file's groups by what the test and the vulnerable file have in common with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phases.test_integration.ruby.layout import Group, Layout
from phases.test_integration.words import pascal, split_extension, split_path, words_of

# A group named for security is the place; then what it describes; then what its tests can name.
_SECURITY, _DESCRIBED, _MENTIONED, _MODULE_WORD, _BOUND, _TEST_WORD = 1000, 20, 10, 5, 4, 1
_TELLS_NOTHING_WORDS = """
    test tests spec case security rb the a an in of is to on as at by it for from with when and or not
    no should does that this be are new all any if r spec has
"""
_TELLS_NOTHING = frozenset(_TELLS_NOTHING_WORDS.split())


@dataclass(frozen=True, slots=True)
class Clues:
    """What a test is about; `constant` is what the vulnerable file ought to define."""

    module_words: frozenset[str]
    test_words: frozenset[str]
    constant: str
    names: frozenset[str]


def clues(vulnerable_file: str, test_name: str, names: Iterable[str]) -> Clues:
    _, file_name = split_path(vulnerable_file)
    stem = split_extension(file_name)[0]
    return Clues(
        module_words=_telling(words_of(stem)),
        test_words=_telling(words_of(test_name)),
        constant="".join(map(str.capitalize, words_of(stem))) or pascal(stem),
        names=frozenset(names),
    )


def affinities(layout: Layout, clues: Clues) -> dict[int, int]:
    """How much speaks for each group, by its place in the layout: what speaks for those around it counts."""
    position = {id(group): index for index, group in enumerate(layout.groups)}
    found: dict[int, int] = {}
    for index, group in enumerate(layout.groups):
        around = found[position[id(group.parent)]] if group.parent else 0
        found[index] = around + (_own(layout, group, clues) if group.kind in ("class", "block") else 0)
    return found


def is_about_security(group: Group) -> bool:
    return "security" in words_of(group.name[:200])


def _own(layout: Layout, group: Group, clues: Clues) -> int:
    words = words_of(group.name[:200])
    about = _telling(words)
    score = _SECURITY if "security" in words else 0
    if clues.constant:
        parts = group.name.replace("::", " ").replace('"', " ").replace("'", " ").split()
        if any(part.lower() in _spellings(clues.constant) for part in parts):
            score += _DESCRIBED
        elif group.parent is None or group.parent.kind in ("root", "module"):
            content = layout.document.content
            if content.find(clues.constant.encode(), group.node.start_byte, group.node.end_byte) >= 0:
                score += _MENTIONED
    return (
        score
        + _MODULE_WORD * len(clues.module_words & about)
        + _BOUND * len(clues.names & group.bound)
        + _TEST_WORD * len(clues.test_words & about)
    )


def _spellings(constant: str) -> set[str]:
    """What a group that is about it is called, in small letters."""
    low = constant.lower()
    return {low, f"{low}test", f"test{low}", f"{low}spec", f"{low}tests"}


def _telling(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_singular, set(words) - _TELLS_NOTHING))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
