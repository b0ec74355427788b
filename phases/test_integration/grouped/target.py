"""A file of groups as a target: which group takes a test, and whether the test is there already."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from phases.test_integration import broken
from phases.test_integration.document import Span, Splice
from phases.test_integration.grouped import code, spots
from phases.test_integration.grouped.affinity import affinity, clues
from phases.test_integration.grouped.outline import Group, Member, Outline
from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.red_tests import RedTest


@dataclass(frozen=True, slots=True)
class Written:
    """A test's text, in the first column; `names` are what stands in its group then.

    `protected` are the rows that begin within a string, `imports` whole statements for the file's head.
    """

    text: str
    names: tuple[str, ...]
    protected: frozenset[int] = frozenset()
    imports: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = field(default=())


class Test(ABC):
    """A red test whose code has been read."""

    __test__ = False  # pytest would try to collect it

    red_test: RedTest

    @property
    @abstractmethod
    def used_names(self) -> frozenset[str]:
        """What it names, for finding the group that knows the same."""

    @property
    @abstractmethod
    def group_name(self) -> str:
        """The name of the group that it came in, empty for none."""


class GroupedTarget(ABC):
    """One file's outline, and how its language adds to it."""

    comment: re.Pattern[bytes]  # what may stand behind a function on its last line
    default_unit = code.INDENT
    new_group = "new_class"

    def __init__(self, outline: Outline) -> None:
        self.outline = outline

    @property
    def has_tests(self) -> bool:
        return any(group.tests for group in self.outline.groups)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self.outline.notices)

    @cached_property
    def unit(self) -> str:
        return self.outline.unit(self.default_unit)

    def plan(self, red_test: RedTest) -> Plan:
        test = self.read(red_test)
        group = self.choose(test)
        return self._already_there(test, group) or self._plan_in(test, group)

    def plan_append(self, red_test: RedTest) -> Plan:
        test = self.read(red_test)
        self.check_append()
        self._check_end()
        return self._plan_behind(test, spots.end_of_file(self.outline.document), "append", is_append=True)

    def has(self, plan: Plan, span: Span) -> bool:
        if plan.parent:
            found = (group for group in self.outline.groups if group.path == plan.parent)
            standing = {
                member.name
                for group in found
                for member in group.members
                if span.start <= member.start and member.end <= span.end
            }
        else:
            standing = {
                group.name
                for group in self.outline.groups
                if group.path == group.name
                and group.takes
                and span.start <= group.node.start_byte
                and group.node.end_byte <= span.end
            }
        return standing.issuperset(plan.names)

    @abstractmethod
    def read(self, red_test: RedTest) -> Test:
        """Raises InvalidTestCode."""

    @abstractmethod
    def write(self, test: Test, group: Group | None, *, keep_names: bool = False) -> Written:
        """The test's text for its group, or with a new group around it."""

    @abstractmethod
    def functions_in(self, text: str, *, is_group: bool) -> list[Member]:
        """The tests in a text that `write` made."""

    def check_append(self) -> None:
        """Raises TargetRefused where the file's end is no place for code."""
        return None

    def head(self, test: Test, written: Written) -> Sequence[Splice]:
        """The imports' splices."""
        return ()

    def is_opened(self, is_append: bool) -> bool:
        """Whether imports go before the new group instead of to the file's head."""
        return is_append or not self.has_tests

    def opening(self, written: Written) -> str:
        """What must stand before a group at the end of this file, imports included."""
        return "".join(f"{each}\n" for each in written.imports) + "\n" * bool(written.imports)

    def candidates(self, test: Test) -> list[Group]:
        """The groups that one more test could go into."""
        groups = [group for group in self.outline.groups if group.takes]
        return [group for group in groups if group.tests] or groups

    def choose(self, test: Test) -> Group | None:
        """The group that most speaks for; the first of equals."""
        candidates = self.candidates(test)
        for group in candidates:
            if test.group_name and group.name == test.group_name:
                return group
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        known = clues(self.outline, test.red_test, test.used_names)
        return max(candidates, key=lambda group: affinity(group, known))

    def behind_groups(self) -> spots.Spot:
        """Behind the last outermost group with tests, else at the end of the file."""
        document = self.outline.document
        tops = [group for group in self.outline.groups if group.path == group.name and group.tests]
        if not tops:
            return spots.end_of_file(document)
        last = max(tops, key=lambda group: group.node.end_byte).node
        return spots.behind(
            document, last.end_byte, document.indent_at(last.start_byte).decode(), self.comment
        )

    @abstractmethod
    def marks(self, test: Test) -> list[str]:
        """The comments that name the test."""

    def _plan_in(self, test: Test, group: Group | None) -> Plan:
        if group is None:
            self._check_end()
            return self._plan_behind(test, self.behind_groups(), self.new_group)
        self._check_group(group)
        written = self.write(test, group)
        spot = spots.inside(self.outline.document, group, self.unit, self.comment)
        strategy = "after_last_test" if group.tests else "inside_class"
        return self._plan_at(test, written, spot, strategy, group.path)

    def _check_group(self, group: Group) -> None:
        """Raises TargetRefused where the file is broken and what the test would stand behind is doubtful."""
        if self.outline.root.has_error:
            for member in (group.tests or list(group.members))[-1:]:
                if member.is_test and member.body is None:
                    raise broken.doubtful()
                broken.check_function(self.outline.document, member.start, member.end)

    def _check_end(self) -> None:
        if self.outline.root.has_error:
            broken.check_end(self.outline.document)

    def _plan_behind(self, test: Test, spot: spots.Spot, strategy: str, *, is_append: bool = False) -> Plan:
        written = self.write(test, None)
        if self.is_opened(is_append):
            opening = self.opening(written)
            rows = opening.count("\n")
            written = Written(
                opening + written.text,
                written.names,
                frozenset(row + rows for row in written.protected),
                (),
                written.notices,
            )
        return self._plan_at(test, written, spot, strategy, "")

    def _plan_at(self, test: Test, written: Written, spot: spots.Spot, strategy: str, parent: str) -> Plan:
        document = self.outline.document
        if spot.splits and self.outline.root.has_error:
            raise broken.doubtful()
        styled = code.to_file_style(
            written.text, written.protected, spot.prefix, self.unit, document.eol.decode()
        )
        main = spots.splice_at(document, spot, styled)
        head = self.head(test, written) if written.imports else ()
        splices = sorted((*head, main), key=lambda splice: splice.offset)
        return Plan(strategy, parent, tuple(splices), splices.index(main), written.names, 0, written.notices)

    def _already_there(self, test: Test, group: Group | None) -> Plan | None:
        """The file's own copy of the test: the same statements under the same marks."""
        marks = [mark.encode() for mark in self.marks(test)]
        document = self.outline.document
        if marks[0] not in document.content:
            return None
        written = self.write(test, group, keep_names=True)
        wanted = [
            self.said(member.body)
            for member in self.functions_in(written.text, is_group=group is None)
            if member.body
        ]
        there: dict[tuple[str, ...], tuple[Member, Group]] = {}
        for each in self.outline.groups:
            for member in each.members:
                if member.body is not None and self._is_marked(member, marks):
                    there.setdefault(self.said(member.body), (member, each))
        if not wanted or not all(tokens in there for tokens in wanted):
            return None
        first, parent = there[wanted[0]]
        return Plan("already_present", parent.path, existing=first.node.start_byte)

    def said(self, body: Node) -> tuple[str, ...]:
        """What a test's body says, the same whether a name in it stands in full or is imported."""
        return code.tokens(body)

    def _is_marked(self, member: Member, marks: Sequence[bytes]) -> bool:
        text = self.outline.document.lines[member.start : member.end]
        return marks[0] in text and {line.strip() for line in text.split(b"\n")}.issuperset(marks)
