"""Ranks a project's test files by how likely they test one source file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

from phases.test_integration.words import split_extension, split_path, words_of

SAME_MODULE = 0.3
SAME_DIRECTORIES = 0.2
# Weights of the parts of a path's similarity; they add up to 1.
_STEM, _COVERAGE, _DIRECTORIES, _ALL_WORDS = 0.5, 0.28, 0.12, 0.1
# A file is unrelated unless its name shares a word, or nearly, with the source's path.
_MIN_RELATED, _MAX_UNRELATED_SCORE = 0.2, 0.49
_PREFIX, _PLURAL, _SHARED_PREFIX = 0.9, 0.9, 0.75

MAX_CANDIDATES = 20_000
_MAX_PATH_LENGTH = 300  # characters; only the end of a longer path is compared
_MAX_WORDS = 12
_PREFIX_LENGTH = 3  # letters that similar words share at their start
_MAX_SIMILAR_WORDS = 50  # known words of one prefix that are compared
_ROOTS = frozenset({"lib", "app", "src", "test", "tests", "spec", "__tests__"})
_AFFIXES = re.compile(
    r"^(?:test[_-]+|Test(?=[A-Z]))|(?:[._-](?:test|tests|spec)|(?<=[a-z0-9])(?:Tests?|Spec))$"
)
_WORD = re.compile(r"[^\W_]+")
# Words for a file's role; sharing only these says nothing about two files.
_ROLE_WORDS = frozenset(
    {"api", "base", "client", "command", "component", "config", "controller", "core", "factory", "form"}
    | {"handler", "helper", "helpers", "index", "main", "manager", "middleware", "mixin", "model", "models"}
    | {"module", "page", "provider", "repository", "router", "routes", "security", "serializer", "service"}
    | {"services", "store", "task", "tasks", "type", "types", "util", "utils", "view", "views", "worker"}
)
_ROLE_WEIGHT = 0.15


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One test file; `score` is from 0.0 to 1.5."""

    path: str
    score: float
    reason: str


class _PathParts(NamedTuple):
    """A path prepared for comparison: words, without root directories, test affixes and extensions."""

    directories: tuple[str, ...]
    stem: tuple[str, ...]
    all_words: frozenset[str]

    @classmethod
    def of(cls, path: str) -> _PathParts:
        tail = path[-_MAX_PATH_LENGTH:]
        directories, file_name = split_path(tail)
        stem = split_extension(file_name)[0]
        words = _words(_AFFIXES.sub("", stem)) or _words(stem)
        return cls(
            directories=tuple(_without_roots(directories)),
            stem=tuple(words[:_MAX_WORDS]),
            all_words=frozenset(_WORD.findall(tail.lower())),
        )

    def find_path_words(self) -> frozenset[str]:
        """Return every word of the path."""
        return frozenset(self.stem).union(*map(_words, self.directories[-_MAX_WORDS:]))


class _SimilarWords(NamedTuple):
    """Known words with the same first letters. A lookup takes constant time, however many words there are."""

    words: frozenset[str]
    prefixes: tuple[str, ...]
    text: str
    without_last_letter: frozenset[str]

    @classmethod
    def of(cls, words: list[str]) -> _SimilarWords:
        some = words[:_MAX_SIMILAR_WORDS]
        return cls(
            frozenset(some), tuple(some), "\0" + "\0".join(some), frozenset(each[:-1] for each in some)
        )

    def similarity_to(self, word: str) -> float:
        """Return the similarity of a word with the same first letters that is not one of these."""
        if self._has_plural_of(word) or self._has_singular_of(word):
            return _PLURAL
        extends_known_word = word.startswith(self.prefixes)
        return _SHARED_PREFIX if extends_known_word or f"\0{word}" in self.text else 0.0

    def _has_plural_of(self, word: str) -> bool:
        return not self.words.isdisjoint((f"{word}s", f"{word}es", f"{word[:-1]}ies"))

    def _has_singular_of(self, word: str) -> bool:
        if not word.endswith("s"):
            return False
        has_ies_plural = word.endswith("ies") and word[:-3] in self.without_last_letter
        return has_ies_plural or word[:-1] in self.words or (word.endswith("es") and word[:-2] in self.words)


class _Vocabulary(dict[str, float]):
    """Maps a word to its similarity to the known words: 1.0 for a known one, less for a similar one."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(dict.fromkeys(words, 1.0))
        self._by_prefix: dict[str, list[str]] = {}
        for word in self:
            if len(word) >= _PREFIX_LENGTH:
                self._by_prefix.setdefault(word[:_PREFIX_LENGTH], []).append(word)
        self._similar = {prefix: _SimilarWords.of(words) for prefix, words in self._by_prefix.items()}

    def __missing__(self, word: str) -> float:
        similar = self._similar.get(word[:_PREFIX_LENGTH])
        self[word] = similarity = similar.similarity_to(word) if similar else 0.0
        return similarity

    def weighted_share(self, words: tuple[str, ...], weights: list[float]) -> float:
        """Return the weighted share of the words that are known: 1.0 for all of them."""
        return sum(map(mul, weights, map(self.__getitem__, words))) / sum(weights) if words else 0.0


def rank_candidates(
    vulnerable_file: str, candidates: Sequence[str], vulnerability_type: str | None = None
) -> list[Recommendation]:
    """Return one recommendation for each candidate, best first, ties in input order.

    Words of `vulnerability_type` (`sql_injection`) in a test file's name do not change its score.
    """
    source = _PathParts.of(vulnerable_file)
    path_words = source.find_path_words()
    path_vocabulary = _Vocabulary(path_words)
    stem = _Vocabulary(source.stem)
    neutral = frozenset(words_of(vulnerability_type or "")) - path_words
    ranked = [_recommend(source, stem, path_vocabulary, neutral, path) for path in candidates]
    return sorted(ranked, key=lambda each: -each.score)


def _without_roots(directories: Iterable[str]) -> Iterable[str]:
    """Yield the significant directories; Maven's `src/main` and `src/test` count as roots."""
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
    source: _PathParts,
    stem_vocabulary: _Vocabulary,
    path_vocabulary: _Vocabulary,
    neutral: frozenset[str],
    path: str,
) -> Recommendation:
    """Score one candidate; an unrelated file never scores above a related one."""
    candidate = _PathParts.of(path)
    words = candidate.stem
    if not neutral.isdisjoint(words):
        words = tuple(word for word in words if word not in neutral) or words
    weights = _weights(words, source.stem)
    same_module = bool(source.stem) and candidate.stem == source.stem
    same_directories = candidate.directories == source.directories
    stem = 1.0 if same_module else _stem_similarity(source.stem, stem_vocabulary, words, weights)
    coverage = path_vocabulary.weighted_share(words, weights)
    score = (
        _STEM * stem
        + _COVERAGE * coverage
        + _DIRECTORIES * _overlap(frozenset(source.directories), frozenset(candidate.directories))
        + _ALL_WORDS * _overlap(source.all_words, candidate.all_words)
        + SAME_MODULE * same_module
        + SAME_DIRECTORIES * same_directories
    )
    if not same_module and max(stem, coverage) < _MIN_RELATED:
        score = min(score, _MAX_UNRELATED_SCORE)
    reason = _reason(same_module, same_directories, stem, coverage)
    return Recommendation(path=path, score=round(score, 4), reason=reason)


def _stem_similarity(
    source: tuple[str, ...], stem_vocabulary: _Vocabulary, words: tuple[str, ...], weights: list[float]
) -> float:
    if not source or not words:
        return 0.0
    shorter, longer = sorted((source, words), key=len)
    if longer[: len(shorter)] == shorter and not _ROLE_WORDS.issuperset(shorter):
        return _PREFIX
    forward = stem_vocabulary.weighted_share(words, weights)
    if not forward:
        return 0.0
    backward = _Vocabulary(words).weighted_share(source, _weights(source, source))
    return (forward + backward) / 2


def _weights(words: tuple[str, ...], source: tuple[str, ...]) -> list[float]:
    """Return a weight per word: low for a role word, and for a last word that the source ends with too."""
    if _ROLE_WORDS.issuperset(source):
        return [1.0] * len(words)
    weights = [_ROLE_WEIGHT if word in _ROLE_WORDS else 1.0 for word in words]
    if len(words) > 1 and words[-1] == source[-1]:
        weights[-1] = _ROLE_WEIGHT
    return weights


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return Dice's coefficient; two empty sets are equal."""
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
