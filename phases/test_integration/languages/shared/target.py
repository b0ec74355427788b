"""Base class of the insertion targets for Java, PHP and Elixir."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.languages.shared import code, insertion_points
from phases.test_integration.languages.shared.group_scores import find_topics, score_group
from phases.test_integration.languages.shared.outline import Group, Member, Outline
from phases.test_integration.plan import broken_syntax
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.document import Span, Splice
from phases.test_integration.read.red_tests import RedTest


@dataclass(frozen=True, slots=True)
class RenderedTest:
    """A rendered test without indentation; `names` are what it defines in its group.

    `protected` are rows that start inside a string, `imports` are statements for the file's head.
    """

    text: str
    names: tuple[str, ...]
    protected: frozenset[int] = frozenset()
    imports: tuple[str, ...] = ()
    warnings: tuple[InsertionWarning, ...] = field(default=())


class ParsedTest(ABC):
    """A red test with its parsed code."""

    __test__ = False  # pytest would try to collect it

    red_test: RedTest

    @property
    @abstractmethod
    def used_names(self) -> frozenset[str]:
        """Names that the test uses, to find the group that uses them too."""

    @property
    @abstractmethod
    def group_name(self) -> str:
        """The name of the group around the test's code, empty for none."""


class GroupedTarget(ABC):
    """A file's outline, and how its language adds tests to it."""

    comment: re.Pattern[bytes]  # what may follow a function on its last line
    default_unit = code.INDENT
    new_group = "new_class"

    def __init__(self, outline: Outline) -> None:
        self.outline = outline

    @property
    def has_tests(self) -> bool:
        return any(group.tests for group in self.outline.groups)

    @property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        return tuple(self.outline.warnings)

    @cached_property
    def unit(self) -> str:
        return self.outline.unit(self.default_unit)

    def plan(self, red_test: RedTest) -> Plan:
        test = self.read(red_test)
        group = self.choose(test)
        return self._find_existing(test, group) or self._plan_in(test, group)

    def plan_append(self, red_test: RedTest) -> Plan:
        test = self.read(red_test)
        self.check_append()
        self._check_end()
        return self._plan_after(
            test, insertion_points.end_of_file(self.outline.document), "append", is_append=True
        )

    def has(self, plan: Plan, span: Span) -> bool:
        if plan.parent:
            found = (group for group in self.outline.groups if group.path == plan.parent)
            inserted_names = {
                member.name
                for group in found
                for member in group.members
                if span.start <= member.start and member.end <= span.end
            }
        else:
            inserted_names = {
                group.name
                for group in self.outline.groups
                if group.path == group.name
                # A new group counts only if its tests would run.
                and group.accepts_tests
                and span.start <= group.node.start_byte
                and group.node.end_byte <= span.end
            }
        return inserted_names.issuperset(plan.names)

    @abstractmethod
    def read(self, red_test: RedTest) -> ParsedTest:
        """Raises InvalidTestCode."""

    @abstractmethod
    def render(self, test: ParsedTest, group: Group | None, *, keep_names: bool = False) -> RenderedTest:
        """Return the test's text for its group, or with a new group around it."""

    @abstractmethod
    def functions_in(self, text: str, *, is_group: bool) -> list[Member]:
        """Return the tests in a text that `render` returned."""

    def check_append(self) -> None:
        """Raises TargetRejected where code cannot follow the file's end."""
        return None

    def head(self, test: ParsedTest, rendered: RenderedTest) -> Sequence[Splice]:
        """Return the splices of the imports."""
        return ()

    def has_inline_imports(self, is_append: bool) -> bool:
        """Return whether imports go before the new group instead of the file's head."""
        return is_append or not self.has_tests

    def file_opening(self, rendered: RenderedTest) -> str:
        """Return the text before a group at the end of this file, imports included."""
        return "".join(f"{each}\n" for each in rendered.imports) + "\n" * bool(rendered.imports)

    def candidates(self, test: ParsedTest) -> list[Group]:
        """Return the groups that can take a new test."""
        groups = [group for group in self.outline.groups if group.accepts_tests]
        return [group for group in groups if group.tests] or groups

    def choose(self, test: ParsedTest) -> Group | None:
        """Return the group with the highest score; the first of equals."""
        candidates = self.candidates(test)
        for group in candidates:
            if test.group_name and group.name == test.group_name:
                return group
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        known = find_topics(self.outline, test.red_test, test.used_names)
        return max(candidates, key=lambda group: score_group(group, known))

    def after_groups(self) -> insertion_points.InsertionPoint:
        """Return the point after the last top-level group with tests, else the end of the file."""
        document = self.outline.document
        tops = [group for group in self.outline.groups if group.path == group.name and group.tests]
        if not tops:
            return insertion_points.end_of_file(document)
        last = max(tops, key=lambda group: group.node.end_byte).node
        return insertion_points.after(
            document, last.end_byte, document.indent_at(last.start_byte).decode(), self.comment
        )

    @abstractmethod
    def markers(self, test: ParsedTest) -> list[str]:
        """Return the comments that identify the test."""

    def _plan_in(self, test: ParsedTest, group: Group | None) -> Plan:
        if group is None:
            self._check_end()
            return self._plan_after(test, self.after_groups(), self.new_group)
        self._check_group(group)
        rendered = self.render(test, group)
        point = insertion_points.inside(self.outline.document, group, self.unit, self.comment)
        strategy = "after_last_test" if group.tests else "inside_class"
        return self._plan_at(test, rendered, point, strategy, group.path)

    def _check_group(self, group: Group) -> None:
        """Raises TargetRejected where a syntax error makes the position in the group unsafe."""
        if self.outline.root.has_error:
            # Only the member that the test would follow.
            for member in (group.tests or list(group.members))[-1:]:
                if member.is_test and member.body is None:
                    raise broken_syntax.unsafe_position()
                broken_syntax.check_function(self.outline.document, member.start, member.end)

    def _check_end(self) -> None:
        if self.outline.root.has_error:
            broken_syntax.check_file_end(self.outline.document)

    def _plan_after(
        self,
        test: ParsedTest,
        point: insertion_points.InsertionPoint,
        strategy: str,
        *,
        is_append: bool = False,
    ) -> Plan:
        """Return the plan that adds the test with a new group around it."""
        rendered = self.render(test, None)
        if self.has_inline_imports(is_append):
            file_opening = self.file_opening(rendered)
            rows = file_opening.count("\n")
            rendered = RenderedTest(
                file_opening + rendered.text,
                rendered.names,
                frozenset(row + rows for row in rendered.protected),
                (),
                rendered.warnings,
            )
        return self._plan_at(test, rendered, point, strategy, "")

    def _plan_at(
        self,
        test: ParsedTest,
        rendered: RenderedTest,
        point: insertion_points.InsertionPoint,
        strategy: str,
        parent: str,
    ) -> Plan:
        """Return the plan for a point, with the imports' splices."""
        document = self.outline.document
        if point.splits_line and self.outline.root.has_error:
            raise broken_syntax.unsafe_position()
        styled = code.to_file_style(
            rendered.text, rendered.protected, point.prefix, self.unit, document.eol.decode()
        )
        main = insertion_points.splice_at(document, point, styled)
        head = self.head(test, rendered) if rendered.imports else ()
        splices = sorted((*head, main), key=lambda splice: splice.offset)
        return Plan(
            strategy, parent, tuple(splices), splices.index(main), rendered.names, 0, rendered.warnings
        )

    def _find_existing(self, test: ParsedTest, group: Group | None) -> Plan | None:
        """Find the test in the file: the same statements under the same markers."""
        markers = [marker.encode() for marker in self.markers(test)]
        document = self.outline.document
        if markers[0] not in document.content:
            return None
        rendered = self.render(test, group, keep_names=True)
        wanted = [
            self.body_tokens(member.body)
            for member in self.functions_in(rendered.text, is_group=group is None)
            if member.body
        ]
        existing: dict[tuple[str, ...], tuple[Member, Group]] = {}
        for each in self.outline.groups:
            for member in each.members:
                if member.body is not None and self._is_marked(member, markers):
                    existing.setdefault(self.body_tokens(member.body), (member, each))
        if not wanted or not all(tokens in existing for tokens in wanted):
            return None
        first, parent = existing[wanted[0]]
        return Plan("already_present", parent.path, existing=first.node.start_byte)

    def body_tokens(self, body: Node) -> tuple[str, ...]:
        """Return the tokens of a test's body, equal for imported and fully qualified names."""
        return code.tokens(body)

    def _is_marked(self, member: Member, markers: Sequence[bytes]) -> bool:
        text = self.outline.document.lines[member.start : member.end]
        return markers[0] in text and {line.strip() for line in text.split(b"\n")}.issuperset(markers)
