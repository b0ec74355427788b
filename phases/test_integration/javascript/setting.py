"""Where a test is to stand, and what it has become for that place."""

from __future__ import annotations

from dataclasses import dataclass, field

from phases.test_integration.insertion import Notice
from phases.test_integration.javascript.habits import Habits
from phases.test_integration.javascript.layout import Group, Layout
from phases.test_integration.javascript.writing import Line


@dataclass(slots=True)
class Setting:
    """Where the test is to stand: in `group`, or at the top level; in a new group if it has a `new_group`."""

    layout: Layout
    habits: Habits
    group: Group | None = None
    new_group: str = ""


@dataclass(slots=True)
class Written:
    """A test's lines; `titles` are the strings, as written, of what stands at its place.

    `names` are to be imported from the framework's module, `imports` are statements for the file's head.
    """

    lines: list[Line] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    prelude: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def needs(self, name: str) -> None:
        if name not in self.names:
            self.names.append(name)
