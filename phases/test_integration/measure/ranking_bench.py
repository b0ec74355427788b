"""Measures how often the ranking puts first the test that a project's history pairs with a source file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from phases.test_integration.discovery.ranking import rank_candidates
from phases.test_integration.words import split_extension, split_path

Rank = Callable[[str, Sequence[str]], str]

_CODE = re.compile(r"\.(?:py|rb|go|exs?|java|php|[cm]?[jt]sx?|vue)$")
_TEST = re.compile(
    r"^(?:test_|spec_|tc_)\w|[._-](?:test|tests|spec)\.\w+$|[._-](?:test|spec)\.\w+\.\w+$|[A-Za-z0-9](?:Test|Tests|Spec)\.\w+$"
)
_TEST_DIRECTORY = re.compile(r"(?:^|/)(?:tests?|specs?|__tests__|testing|test-\w+|fixtures?|features)/")
_NO_SOURCE = re.compile(
    r"(?:^|/)(?:docs?|examples?|benchmarks?|scripts?|bin|vendor|node_modules|tasks)/|\.d\.ts$"
)
_NOT_RANKED = re.compile(r"(?:^|/)(?:conftest|__init__|setup|version)\.\w+$")
_ROOTS = frozenset({"lib", "app", "src", "test", "tests", "spec", "__tests__"})
_AFFIXES = re.compile(r"^(?:test_|spec_)|(?:[._-](?:test|tests|spec)|(?<=[a-z0-9])(?:Tests?|Spec))$")


@dataclass(frozen=True, slots=True)
class Pair:
    """A source file and the one test file that changed with it; `candidates` are all tests at that commit."""

    source: str
    test: str
    candidates: tuple[str, ...]


def is_test(path: str) -> bool:
    return bool(_CODE.search(path) and _TEST.search(split_path(path)[1]))


def is_source(path: str) -> bool:
    unfit = (_TEST_DIRECTORY, _NO_SOURCE, _NOT_RANKED)
    return bool(_CODE.search(path)) and not is_test(path) and not any(each.search(path) for each in unfit)


def find_pair(changed: Iterable[str]) -> tuple[str, str] | None:
    """Return the source and test of a commit that changed exactly one of each, else None."""
    paths = list(changed)
    sources, tests = list(filter(is_source, paths)), list(filter(is_test, paths))
    return (sources[0], tests[0]) if len(sources) == len(tests) == 1 else None


def rank_by_engine(source: str, candidates: Sequence[str]) -> str:
    return rank_candidates(source, candidates)[0].path


def rank_by_string_similarity(source: str, candidates: Sequence[str]) -> str:
    """Rank by string similarity of directories and name plus both bonuses; the first of equals wins."""
    own = _normalize(source)
    return max(candidates, key=lambda each: _similarity(own, _normalize(each)))


def top_1(pairs: Sequence[Pair], rank: Rank) -> float:
    """Return the share of pairs whose test is ranked first, from 0 to 1."""
    hits = sum(rank(pair.source, pair.candidates) == pair.test for pair in pairs)
    return hits / len(pairs) if pairs else 0.0


def _normalize(path: str) -> tuple[str, str]:
    directories, name = split_path(path)
    stem = _AFFIXES.sub("", split_extension(name)[0])
    return "/".join(each for each in directories if each not in _ROOTS), stem


def _similarity(one: tuple[str, str], other: tuple[str, str]) -> float:
    joined, others = "/".join(one), "/".join(other)
    similarity = SequenceMatcher(None, joined, others, autojunk=False).ratio()
    return similarity + 0.3 * (one[1] == other[1]) + 0.2 * (one[0] == other[0])
