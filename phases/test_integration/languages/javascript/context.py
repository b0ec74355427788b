"""The place of a test in a file, and the text rendered for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from phases.test_integration.languages.javascript.outline import Group, Outline
from phases.test_integration.languages.javascript.style import Style
from phases.test_integration.languages.javascript.writing import Line
from phases.test_integration.plan.protocols import InsertionWarning


@dataclass(slots=True)
class Context:
    """Where the test goes: in `group`, or at top level; inside a new group named `new_group`, if given."""

    outline: Outline
    style: Style
    group: Group | None = None
    new_group: str = ""


@dataclass(slots=True)
class RenderedTest:
    """A rendered test; `titles` are the string literals of the tests or groups at its place.

    `names` are to be imported from the framework's module, `imports` are statements for the file's head,
    `prelude` are statements for the start of the test's body.
    """

    lines: list[Line] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    prelude: list[str] = field(default_factory=list)
    warnings: list[InsertionWarning] = field(default_factory=list)

    def needs(self, name: str) -> None:
        if name not in self.names:
            self.names.append(name)
