"""Scores a file's classes by what the test and the vulnerable file have in common with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phases.test_integration.languages.python.outline import Class, Function, Outline
from phases.test_integration.words import split_extension, split_path, words_of

# A class named for security wins; then imports from the vulnerable file; then names.
_SECURITY, _IMPORTED, _MODULE_WORD, _SELF_ATTRIBUTE, _USED_NAME, _TEST_WORD = 1000, 10, 5, 4, 2, 1
_STOP_WORDS = frozenset({"test", "tests", "case", "security", "py", "the", "a", "an", "in", "of", "is", "to"})


@dataclass(frozen=True, slots=True)
class Topics:
    """What a test is about; `imported` are the file's names for things from the vulnerable file."""

    module_words: frozenset[str]
    test_words: frozenset[str]
    imported: frozenset[str]
    used_names: frozenset[str]
    self_attributes: frozenset[str]


def find_topics(
    outline: Outline,
    vulnerable_file: str,
    test_name: str,
    used_names: Iterable[str],
    self_attributes: frozenset[str],
) -> Topics:
    """Return what the test is about, from its name, code and vulnerable file."""
    directories, file_name = split_path(vulnerable_file)
    module = [*directories, split_extension(file_name)[0]] if file_name else []
    imported = {name for name, origin in outline.origins.items() if _is_of(origin, module)}
    module_words = set(words_of(module[-1])) if module else set()
    return Topics(
        module_words=frozenset(map(_singular, module_words - _STOP_WORDS)),
        test_words=frozenset(map(_singular, set(words_of(test_name)) - _STOP_WORDS)),
        imported=frozenset(imported),
        used_names=frozenset(used_names),
        self_attributes=self_attributes,
    )


def score_group(outline: Outline, group: Class, topics: Topics) -> int:
    """Return the class's score; 0 means no evidence."""
    name = set(words_of(group.name))
    security = _SECURITY if "security" in name else 0
    return security + _score(name, outline.words(group.node), topics)


def score_module_level(outline: Outline, tests: Iterable[Function], topics: Topics) -> int:
    """Return the best score of the tests outside classes."""
    return max(
        (_score(set(words_of(test.name)), outline.words(test.node), topics) for test in tests), default=0
    )


def _score(name: set[str], words: frozenset[str], topics: Topics) -> int:
    about = set(map(_singular, name))
    return (
        _IMPORTED * len(topics.imported & words)
        + _MODULE_WORD * len(topics.module_words & about)
        + _SELF_ATTRIBUTE * len(topics.self_attributes & words)
        + _USED_NAME * len(topics.used_names & words)
        + _TEST_WORD * len(topics.test_words & about)
    )


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _is_of(origin: str, module: list[str]) -> bool:
    """Return whether `app.users.login` is from `src/app/users.py`, by the path's last segments."""
    parts = origin.strip(".").split(".")
    return any(parts[:length] == module[-length:] for length in range(1, len(parts) + 1))
