"""Scores a file's groups by what the test and the vulnerable file have in common with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phases.test_integration.languages.ruby.outline import Group, Outline
from phases.test_integration.words import pascal, split_extension, split_path, words_of

# A group named for security wins; then the described class; then names that its tests can use.
_SECURITY, _DESCRIBED, _MENTIONED, _MODULE_WORD, _BOUND, _TEST_WORD = 1000, 20, 10, 5, 4, 1
_STOP_WORD_LIST = """
    test tests spec case security rb the a an in of is to on as at by it for from with when and or not
    no should does that this be are new all any if r spec has
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())


@dataclass(frozen=True, slots=True)
class Topics:
    """What a test is about; `constant` is the class that the vulnerable file should define."""

    module_words: frozenset[str]
    test_words: frozenset[str]
    constant: str
    names: frozenset[str]


def find_topics(vulnerable_file: str, test_name: str, names: Iterable[str]) -> Topics:
    """Return what the test is about, from its name, code and vulnerable file."""
    _, file_name = split_path(vulnerable_file)
    stem = split_extension(file_name)[0]
    return Topics(
        module_words=_keywords(words_of(stem)),
        test_words=_keywords(words_of(test_name)),
        constant="".join(map(str.capitalize, words_of(stem))) or pascal(stem),
        names=frozenset(names),
    )


def score_groups(outline: Outline, topics: Topics) -> dict[int, int]:
    """Return each group's score by its index in the outline; a group's score includes its parents'."""
    position = {id(group): index for index, group in enumerate(outline.groups)}
    found: dict[int, int] = {}
    for index, group in enumerate(outline.groups):
        outer_score = found[position[id(group.parent)]] if group.parent else 0
        found[index] = outer_score + (_own(outline, group, topics) if group.kind in ("class", "block") else 0)
    return found


def is_about_security(group: Group) -> bool:
    return "security" in words_of(group.name[:200])


def _own(outline: Outline, group: Group, topics: Topics) -> int:
    """Return a group's score without its parents'."""
    words = words_of(group.name[:200])
    about = _keywords(words)
    score = _SECURITY if "security" in words else 0
    if topics.constant:
        parts = group.name.replace("::", " ").replace('"', " ").replace("'", " ").split()
        if any(part.lower() in _spellings(topics.constant) for part in parts):
            score += _DESCRIBED
        elif group.parent is None or group.parent.kind in ("root", "module"):
            content = outline.document.content
            if content.find(topics.constant.encode(), group.node.start_byte, group.node.end_byte) >= 0:
                score += _MENTIONED
    return (
        score
        + _MODULE_WORD * len(topics.module_words & about)
        + _BOUND * len(topics.names & group.bound)
        + _TEST_WORD * len(topics.test_words & about)
    )


def _spellings(constant: str) -> set[str]:
    """Return the lower-case names of groups about this constant."""
    low = constant.lower()
    return {low, f"{low}test", f"test{low}", f"{low}spec", f"{low}tests"}


def _keywords(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_singular, set(words) - _STOP_WORDS))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
