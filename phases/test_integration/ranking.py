"""Ranks the test files of a project by how likely they are the tests of one source file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

from phases.test_integration.words import split_extension, split_path, words_of

SAME_MODULE = 0.3
SAME_DIRECTORIES = 0.2
# How much each part counts in the path's similarity; together they are 1.
_STEM, _COVERAGE, _DIRECTORIES, _WHOLE = 0.5, 0.28, 0.12, 0.1
# Two files are strangers unless a word of the one's name is in the other's, or nearly.
_RELATED, _BEST_STRANGER = 0.2, 0.49
_PREFIX, _PLURAL, _BEGINNING = 0.9, 0.9, 0.75

MOST_CANDIDATES = 20_000
_LONGEST_PATH = 300  # characters; of a longer one only its end is looked at
_MOST_WORDS = 12
_SHORTEST_ALIKE, _MOST_NEAR = 3, 50  # letters that words must begin with alike; such words that are looked at
_ROOTS = frozenset({"lib", "app", "src", "test", "tests", "spec", "__tests__"})
_AFFIXES = re.compile(
    r"^(?:test[_-]+|Test(?=[A-Z]))|(?:[._-](?:test|tests|spec)|(?<=[a-z0-9])(?:Tests?|Spec))$"
)
_WORD = re.compile(r"[^\W_]+")
# Words that say what sort of file it is; two files that share only these have nothing to do with another.
_SORTS = frozenset(
    {"api", "base", "client", "command", "component", "config", "controller", "core", "factory", "form"}
    | {"handler", "helper", "helpers", "index", "main", "manager", "middleware", "mixin", "model", "models"}
    | {"module", "page", "provider", "repository", "router", "routes", "security", "serializer", "service"}
    | {"services", "store", "task", "tasks", "type", "types", "util", "utils", "view", "views", "worker"}
)
_SORT_WEIGHT = 0.15


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`score` is from 0.0 to 1.5."""

    path: str
    score: float
    reason: str


class _Place(NamedTuple):
    """A path as it is compared: without roots, affixes and extensions, in words."""

    directories: tuple[str, ...]
    stem: tuple[str, ...]
    all_words: frozenset[str]

    @classmethod
    def of(cls, path: str) -> _Place:
        end = path[-_LONGEST_PATH:]
        directories, file_name = split_path(end)
        stem = split_extension(file_name)[0]
        words = _words(_AFFIXES.sub("", stem)) or _words(stem)
        return cls(
            directories=tuple(_without_roots(directories)),
            stem=tuple(words[:_MOST_WORDS]),
            all_words=frozenset(_WORD.findall(end.lower())),
        )

    def find_surroundings(self) -> frozenset[str]:
        """Every word of the path."""
        return frozenset(self.stem).union(*map(_words, self.directories[-_MOST_WORDS:]))


class _Near(NamedTuple):
    """Known words that begin alike. To ask for one takes a few steps, however many they are."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    text: str
    cut: frozenset[str]

    @classmethod
    def of(cls, words: list[str]) -> _Near:
        some = words[:_MOST_NEAR]
        return cls(
            frozenset(some), tuple(some), "\0" + "\0".join(some), frozenset(each[:-1] for each in some)
        )

    def likeness_of(self, word: str) -> float:
        """For a word of the same beginning that is none of these."""
        if self._has_plural_of(word) or self._has_singular_of(word):
            return _PLURAL
        is_begun = word.startswith(self.beginnings)
        return _BEGINNING if is_begun or f"\0{word}" in self.text else 0.0

    def _has_plural_of(self, word: str) -> bool:
        return not self.words.isdisjoint((f"{word}s", f"{word}es", f"{word[:-1]}ies"))

    def _has_singular_of(self, word: str) -> bool:
        if not word.endswith("s"):
            return False
        by_y = word.endswith("ies") and word[:-3] in self.cut
        return by_y or word[:-1] in self.words or (word.endswith("es") and word[:-2] in self.words)


class _Vocabulary(dict[str, float]):
    """How well a word is known: 1.0 for one of these words, less for one that is nearly one."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(dict.fromkeys(words, 1.0))
        self._by_beginning: dict[str, list[str]] = {}
        for word in self:
            if len(word) >= _SHORTEST_ALIKE:
                self._by_beginning.setdefault(word[:_SHORTEST_ALIKE], []).append(word)
        self._near = {beginning: _Near.of(words) for beginning, words in self._by_beginning.items()}

    def __missing__(self, word: str) -> float:
        near = self._near.get(word[:_SHORTEST_ALIKE])
        self[word] = likeness = near.likeness_of(word) if near else 0.0
        return likeness

    def share_of(self, words: tuple[str, ...], weights: list[float]) -> float:
        """How far the words are known here, by weight: 1.0 for all of them."""
        return sum(map(mul, weights, map(self.__getitem__, words))) / sum(weights) if words else 0.0


def rank_candidates(
    vulnerable_file: str, candidates: Sequence[str], kind: str | None = None
) -> list[Recommendation]:
    """One recommendation for each candidate, best first, ties in the order they came in.

    `kind` is the flaw's (`sql_injection`): its words in a test's name count neither for nor against it.
    """
    source = _Place.of(vulnerable_file)
    surroundings = source.find_surroundings()
    known = _Vocabulary(surroundings)
    stem = _Vocabulary(source.stem)
    neutral = frozenset(words_of(kind or "")) - surroundings
    ranked = [_recommend(source, stem, known, neutral, path) for path in candidates]
    return sorted(ranked, key=lambda each: -each.score)


def _without_roots(directories: Iterable[str]) -> Iterable[str]:
    """The directories that tell something; Maven's `src/main` and `src/test` mirror each other."""
    previous = ""
    for directory in directories:
        lowered = directory.lower()
        is_root = lowered in _ROOTS or (lowered == "main" and previous == "src")
        previous = lowered
        if not is_root and directory != "..":
            yield lowered


def _words(name: str) -> list[str]:
    return words_of(name) if name.isascii() else _WORD.findall(name.lower())


def _recommend(
    source: _Place, stem_words: _Vocabulary, known: _Vocabulary, neutral: frozenset[str], path: str
) -> Recommendation:
    candidate = _Place.of(path)
    words = candidate.stem
    if not neutral.isdisjoint(words):
        words = tuple(word for word in words if word not in neutral) or words
    weights = _weights(words, source.stem)
    same_module = bool(source.stem) and candidate.stem == source.stem
    same_directories = candidate.directories == source.directories
    stem = 1.0 if same_module else _stem_similarity(source.stem, stem_words, words, weights)
    coverage = known.share_of(words, weights)
    score = (
        _STEM * stem
        + _COVERAGE * coverage
        + _DIRECTORIES * _overlap(frozenset(source.directories), frozenset(candidate.directories))
        + _WHOLE * _overlap(source.all_words, candidate.all_words)
        + SAME_MODULE * same_module
        + SAME_DIRECTORIES * same_directories
    )
    if not same_module and max(stem, coverage) < _RELATED:
        score = min(score, _BEST_STRANGER)
    reason = _reason(same_module, same_directories, stem, coverage)
    return Recommendation(path=path, score=round(score, 4), reason=reason)


def _stem_similarity(
    source: tuple[str, ...], stem_words: _Vocabulary, words: tuple[str, ...], weights: list[float]
) -> float:
    if not source or not words:
        return 0.0
    shorter, longer = sorted((source, words), key=len)
    if longer[: len(shorter)] == shorter and not _SORTS.issuperset(shorter):
        return _PREFIX
    there = stem_words.share_of(words, weights)
    if not there:
        return 0.0
    back = _Vocabulary(words).share_of(source, _weights(source, source))
    return (there + back) / 2


def _weights(words: tuple[str, ...], source: tuple[str, ...]) -> list[float]:
    """Little for a word that says what sort of file it is, as the last of several mostly does."""
    if _SORTS.issuperset(source):
        return [1.0] * len(words)
    weights = [_SORT_WEIGHT if word in _SORTS else 1.0 for word in words]
    if len(words) > 1 and words[-1] == source[-1]:
        weights[-1] = _SORT_WEIGHT
    return weights


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice's coefficient; two empty sets are the same."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def _reason(same_module: bool, same_directories: bool, stem: float, coverage: float) -> str:
    if same_module:
        name = "tests the module of the same name"
    elif stem >= 0.5:
        name = "has a similar name"
    elif coverage >= 0.5:
        name = "is named after parts of the source's path"
    else:
        name = "has a name of its own"
    return f"{name}, in {'the same' if same_directories else 'other'} directories"
