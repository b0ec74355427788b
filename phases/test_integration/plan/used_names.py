"""Names used at a test's place, and unique names made by adding a number."""

from __future__ import annotations

from collections.abc import Iterable


class UsedNames:
    """A set of used names; with `ignores_case`, names that differ in case only are equal."""

    def __init__(self, names: Iterable[str], separator: str = "", *, ignores_case: bool = False) -> None:
        self._separator = separator
        self._normalize = str.lower if ignores_case else str
        self._names = {self._normalize(each) for each in names}
        self._numbers: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return self._normalize(name) in self._names

    def reserve(self, wanted: str) -> str:
        """Return the name, with the first number that makes it unique if it is used; and mark it as used."""
        key = self._normalize(wanted)
        # Continue from the last number: trying all of them again for each test would take quadratic time.
        name, number = wanted, self._numbers.get(key, 2)
        while name in self:
            name, number = f"{wanted}{self._separator}{number}", number + 1
        self._numbers[key] = number
        self._names.add(self._normalize(name))
        return name
