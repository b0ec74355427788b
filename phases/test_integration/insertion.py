"""What the engine asks of a framework, and what they tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tree_sitter import Tree

from phases.test_integration.document import Document, Span, Splice
from phases.test_integration.red_tests import RedTest
from phases.test_integration.syntax import Grammar

# Characters of a group's path. What has a longer one is not read: each group keeps its own, and there may
# be thousands below one.
LONGEST_PATH = 1_000


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the user should know; `code` is stable, `line` is 1-based, of the file as it came."""

    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How one red test gets into the file.

    `splices` are in the file's order and `main` is the index of the one that carries the tests, which are
    called `names` and stand in the group `parent` (empty for the file itself). No splices: they are there
    already, from `existing` on.
    """

    strategy: str
    parent: str = ""
    splices: tuple[Splice, ...] = ()
    main: int = 0
    names: tuple[str, ...] = ()
    existing: int = 0
    notices: tuple[Notice, ...] = field(default=())


class Target(Protocol):
    """A file that tests are inserted into, as its framework understands it."""

    @property
    def has_tests(self) -> bool:
        """Whether there is anything that a test could be put beside."""

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What keeps tests of this file from running."""

    def plan(self, red_test: RedTest) -> Plan:
        """Where and how the test goes in, or that it is there.

        Raises InvalidTestCode, TargetRefused.
        """

    def plan_append(self, red_test: RedTest) -> Plan:
        """The same at the file's end, whatever the tree says."""

    def has(self, plan: Plan, span: Span) -> bool:
        """Whether the plan's tests stand within `span`, under their parent and nowhere else."""


class Inserter(Protocol):
    """One framework's way of reading and writing tests."""

    @property
    def grammars(self) -> tuple[Grammar, ...]:
        """The grammars to try; the one with the fewest errors is kept."""

    def read(self, document: Document, tree: Tree) -> Target:
        """The file as the framework understands it. Must not recurse on the tree's depth."""
