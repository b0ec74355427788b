"""Names that are taken where a test goes, and new ones made from them by a number."""

from __future__ import annotations

from collections.abc import Iterable


class Taken:
    """Where `folds`, letters of another case make no other name."""

    def __init__(self, names: Iterable[str], joint: str = "", *, folds: bool = False) -> None:
        self._joint = joint
        self._fold = str.lower if folds else str
        self._names = {self._fold(each) for each in names}
        self._numbers: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return self._fold(name) in self._names

    def take(self, wanted: str) -> str:
        """The name, or the name with the first number that makes it new; taken from now on."""
        key = self._fold(wanted)
        # Numbers are not tried twice: many tests of one name would take very long.
        name, number = wanted, self._numbers.get(key, 2)
        while name in self:
            name, number = f"{wanted}{self._joint}{number}", number + 1
        self._numbers[key] = number
        self._names.add(self._fold(name))
        return name
