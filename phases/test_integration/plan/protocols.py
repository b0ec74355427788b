"""The interface between the engine and a framework: inserter, target, plan and warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tree_sitter import Tree

from phases.test_integration.read.document import Document, Span, Splice
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.read.syntax import Grammar

# Characters of a group's path; groups with a longer one are not read. Each group stores its path, and there
# may be thousands of nested groups.
MAX_GROUP_PATH_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class InsertionWarning:
    """A warning for the user; `code` is stable, `line` is 1-based in the original file."""

    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How one red test gets into the file.

    `splices` are in file order; `main` is the index of the one with the tests. These have the `names` and
    are in the group `parent` (empty for top level). Without splices the test already exists at the offset
    `existing`.
    """

    strategy: str
    parent: str = ""
    splices: tuple[Splice, ...] = ()
    main: int = 0
    names: tuple[str, ...] = ()
    existing: int = 0
    warnings: tuple[InsertionWarning, ...] = field(default=())


class Target(Protocol):
    """A file that tests are inserted into, as its framework reads it."""

    @property
    def has_tests(self) -> bool:
        """Whether the file has tests to put a new one beside."""

    @property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        """What may keep tests of this file from running."""

    def plan(self, red_test: RedTest) -> Plan:
        """Return where and how the test goes in, or that it exists.

        Raises InvalidTestCode, TargetRejected.
        """

    def plan_append(self, red_test: RedTest) -> Plan:
        """Return the plan that appends the test to the file.

        Raises InvalidTestCode, TargetRejected.
        """

    def has(self, plan: Plan, span: Span) -> bool:
        """Return whether the plan's tests are within `span` and under their parent."""


class Inserter(Protocol):
    """One framework's reader of test files."""

    @property
    def grammars(self) -> tuple[Grammar, ...]:
        """The grammars to try; the one with the fewest errors is used."""

    def read(self, document: Document, tree: Tree) -> Target:
        """Return the file as the framework reads it. Must not recurse to the tree's depth."""
