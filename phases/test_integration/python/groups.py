"""Chooses among a file's classes by what the test and the vulnerable file have in common with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phases.test_integration.python.layout import Class, Function, Layout
from phases.test_integration.words import split_extension, split_path, words_of

# A class named for security is the place; then what is imported from the vulnerable file; then names.
_SECURITY, _IMPORTED, _MODULE_WORD, _SELF_ATTRIBUTE, _USED_NAME, _TEST_WORD = 1000, 10, 5, 4, 2, 1
_TELLS_NOTHING = frozenset(
    {"test", "tests", "case", "security", "py", "the", "a", "an", "in", "of", "is", "to"}
)


@dataclass(frozen=True, slots=True)
class Clues:
    """What a test is about. `imported` are the file's own names for things of the vulnerable file."""

    module_words: frozenset[str]
    test_words: frozenset[str]
    imported: frozenset[str]
    used_names: frozenset[str]
    self_attributes: frozenset[str]


def clues(
    layout: Layout,
    vulnerable_file: str,
    test_name: str,
    used_names: Iterable[str],
    self_attributes: frozenset[str],
) -> Clues:
    directories, file_name = split_path(vulnerable_file)
    module = [*directories, split_extension(file_name)[0]] if file_name else []
    imported = {name for name, origin in layout.origins.items() if _is_of(origin, module)}
    module_words = set(words_of(module[-1])) if module else set()
    return Clues(
        module_words=frozenset(map(_singular, module_words - _TELLS_NOTHING)),
        test_words=frozenset(map(_singular, set(words_of(test_name)) - _TELLS_NOTHING)),
        imported=frozenset(imported),
        used_names=frozenset(used_names),
        self_attributes=self_attributes,
    )


def affinity(layout: Layout, group: Class, clues: Clues) -> int:
    """How much speaks for the class; 0 where nothing does."""
    name = set(words_of(group.name))
    security = _SECURITY if "security" in name else 0
    return security + _affinity(name, layout.words(group.node), clues)


def module_affinity(layout: Layout, tests: Iterable[Function], clues: Clues) -> int:
    """The same for tests that stand in no class, the best of them."""
    return max(
        (_affinity(set(words_of(test.name)), layout.words(test.node), clues) for test in tests), default=0
    )


def _affinity(name: set[str], words: frozenset[str], clues: Clues) -> int:
    about = set(map(_singular, name))
    return (
        _IMPORTED * len(clues.imported & words)
        + _MODULE_WORD * len(clues.module_words & about)
        + _SELF_ATTRIBUTE * len(clues.self_attributes & words)
        + _USED_NAME * len(clues.used_names & words)
        + _TEST_WORD * len(clues.test_words & about)
    )


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _is_of(origin: str, module: list[str]) -> bool:
    """Whether `app.users.login` is of `src/app/users.py`: the file's last segments are in the dotted name."""
    parts = origin.strip(".").split(".")
    return any(parts[:length] == module[-length:] for length in range(1, len(parts) + 1))
