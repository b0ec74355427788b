"""A Ruby test file as an insertion target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import TargetRejected
from phases.test_integration.languages.ruby import (
    file_warnings,
    group_scores,
    insertion_points,
    writing,
)
from phases.test_integration.languages.ruby.dialect import Dialect
from phases.test_integration.languages.ruby.fingerprints import fingerprint
from phases.test_integration.languages.ruby.insertion_points import InsertionPoint
from phases.test_integration.languages.ruby.outline import Group, Outline, Test
from phases.test_integration.languages.ruby.renderer import Context, RenderedTest, RubyTest
from phases.test_integration.languages.ruby.style import Style
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.document import Span
from phases.test_integration.read.red_tests import RedTest

_BASE = re.compile(r"(?:Test|Tests|TestCase|Spec|Case)$")
_NAME = re.compile(r"(?:Tests?|TestCase|Spec)$|^Test")
_QUIET_SKIP = re.compile(r"\bself\.runnable_methods\b|\bself\.abstract\b")


@dataclass(frozen=True, slots=True)
class _Placement:
    """The chosen place of a test and the strategy that the API reports."""

    context: Context
    point: InsertionPoint
    strategy: str
    parent: str


class RubyTarget:
    """A file and the tests that its framework collects."""

    def __init__(self, outline: Outline, dialect: Dialect) -> None:
        if outline.document.eol == b"\r":
            raise TargetRejected("its lines end in lone carriage returns, which Ruby takes for spaces")
        self._outline = outline
        self._dialect = dialect

    @cached_property
    def _style(self) -> Style:
        return Style(self._outline, self._dialect)

    @property
    def has_tests(self) -> bool:
        return self._outline.file.holds_tests or bool(self._candidates)

    @property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        return file_warnings.find_file_warnings(self._outline)

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode."""
        test = RubyTest.of(red_test, self._outline, self._dialect, self._style)
        if existing := self._find_existing(test):
            return existing
        test = test.in_style()
        return self._find_existing(test) or self._plan_at(test, self._choose(test))

    def plan_append(self, red_test: RedTest) -> Plan:
        test = RubyTest.of(red_test, self._outline, self._dialect, self._style).in_style()
        point = insertion_points.end_of_file(self._outline)
        return self._plan_at(test, _Placement(self._new_group(None), point, "append", ""))

    def has(self, plan: Plan, span: Span) -> bool:
        for group in self._outline.at(plan.parent):
            inserted_names = {
                name
                for member in group.members
                if span.start <= member.node.start_byte and member.node.end_byte <= span.end
                for name in (
                    member.test.name if member.test else "",
                    member.group.name if member.group else "",
                )
                if name
            }
            if plan.names and inserted_names.issuperset(plan.names):
                return True
        return False

    @cached_property
    def _inherited(self) -> set[str]:
        """Return the simple names of all base classes in the file."""
        return {group.base.rpartition("::")[2] for group in self._outline.groups if group.base}

    def _runs(self, group: Group) -> bool:
        """Return whether a new test in the group would run exactly once."""
        if group.is_disabled or group.holds_tests != self._outline.file.holds_tests:
            return False
        if group.kind == "block":
            return self._is_collected_block(group)
        return group.kind == "class" and self._dialect.has_methods and self._is_collected_class(group)

    def _is_collected_block(self, group: Group) -> bool:
        enclosing = group.parent
        while enclosing is not None and enclosing.kind in ("block", "other"):
            enclosing = enclosing.parent
        return (
            enclosing is None
            or enclosing.kind in ("root", "module")
            or not self._dialect.has_methods
            or (self._is_collected_class(enclosing))
        )

    def _is_collected_class(self, group: Group) -> bool:
        if group.name.rpartition("::")[2] in self._inherited:
            return False
        if any(member.word == "undef_method" for member in group.members):
            return False
        if any(
            member.node.type == "singleton_method" and _QUIET_SKIP.search(self._outline.text(member.node))
            for member in group.members
        ):
            return False
        base = group.base or next((each.base for each in self._outline.at(group.path) if each.base), "")
        return bool(base) and bool(_BASE.search(base) or _NAME.search(group.name))

    def _choose(self, test: RubyTest) -> _Placement:
        """Choose the group with the highest score, else a new group."""
        if test.needs_own_group:
            same = next((each for each in self._candidates if each.name == test.group_name), None)
            if same is None or not test.can_join(same):
                return self._in_new_group()
        scores = group_scores.score_groups(self._outline, test.topics)
        best, most = None, -1
        tops = set()
        for index, group in enumerate(self._outline.groups):
            if id(group) not in self._candidate_ids:
                continue
            tops.add(id(self._top(group)))
            # More than any score: the file's group of the same name takes the tests.
            score = scores[index] + (10_000 if group.name == test.group_name and test.can_join(group) else 0)
            # Of equal scores the first group in the file.
            if score > most:
                best, most = group, score
        # No evidence decides between several top-level groups.
        if best is None or (most <= 0 and len(tops) > 1):
            return self._in_new_group()
        point = insertion_points.inside(self._outline, best)
        return (
            _Placement(self._context(best), point, self._strategy(best), best.path)
            if point
            else self._in_new_group()
        )

    @cached_property
    def _candidates(self) -> list[Group]:
        return [group for group in self._outline.groups if self._runs(group) and self._has_room(group)]

    @cached_property
    def _candidate_ids(self) -> set[int]:
        return set(map(id, self._candidates))

    def _has_room(self, group: Group) -> bool:
        """Return whether a new test fits: a class needs tests of its own, a block only tests below it."""
        if group.closer is None:
            return False
        if group.kind == "block" or not self._outline.file.holds_tests:
            return True
        return any(
            member.test or (member.holds_tests and member.group and member.group.kind in ("other", "block"))
            for member in group.members
        )

    def _top(self, group: Group) -> Group:
        while group.parent is not None and group.parent.kind not in ("root", "module"):
            group = group.parent
        return group

    def _strategy(self, group: Group) -> str:
        if not group.tests:
            return "inside_describe" if group.kind == "block" else "inside_class"
        if group.kind == "class":
            return "after_last_method" if group.tests[-1].keyword == "def" else "after_last_test"
        return "after_last_it_block"

    def _context(self, group: Group) -> Context:
        tests = [each for each in group.tests if each.is_plain]
        if not tests and group.kind == "block":
            inner = [each for each in self._outline.groups if each.path.startswith(group.path)][:50]
            tests = [test for each in inner for test in each.tests if test.is_plain]
        keyword = tests[-1].keyword if tests else self._style.first_keyword(group)
        # `its` takes an attribute, not a title.
        return Context(
            self._outline, self._dialect, self._style, group, "its" not in keyword and keyword or "it"
        )

    def _in_new_group(self) -> _Placement:
        """Place the test in a new group after the last group with tests, inside the same modules."""
        container, position = self._outline.file, -1
        while True:
            holding = [index for index, each in enumerate(container.members) if each.holds_tests]
            position = holding[-1] if holding else -1
            inner = container.members[position].group if holding else None
            if inner is None or inner.kind != "module" or inner.closer is None or inner.tests:
                break
            container = inner
        anchor = container.members[position].group if position >= 0 else None
        if container.kind != "module" or not holding:
            point = self._at_file_level(position)
            return _Placement(self._new_group(anchor), point, "new_group", "")
        found = insertion_points.inside(self._outline, container)
        if found is None:
            return _Placement(
                self._new_group(anchor), insertion_points.end_of_file(self._outline), "new_group", ""
            )
        return _Placement(self._new_group(anchor), found, "new_group", container.path)

    def _at_file_level(self, position: int) -> InsertionPoint:
        end = insertion_points.end_of_file(self._outline)
        if position < 0:
            return end
        offset = insertion_points.after(self._outline, self._outline.file.members, position)
        # Never after `__END__`, where data begins.
        return InsertionPoint(min(offset, end.offset), "")

    def _new_group(self, anchor: Group | None) -> Context:
        """Return the context of a new group, modeled on the group before it."""
        while anchor is not None and anchor.kind == "other":
            anchor = next((each.group for each in anchor.members if each.group and each.holds_tests), None)
        return Context(self._outline, self._dialect, self._style, None, "", like=anchor)

    def _find_existing(self, test: RubyTest) -> Plan | None:
        """Find the tests in the file: the same statements under the same markers."""
        document, marker = self._outline.document, test.markers[0].encode()
        if marker not in document.content:
            return None
        existing: dict[str, tuple[Test, Group]] = {}
        for group in self._outline.groups:
            for each in group.tests:
                text = document.lines[each.node.start_byte : each.node.end_byte]
                if marker in text and self._has_markers(text, test):
                    existing.setdefault(fingerprint(document, _nodes(each.body)), (each, group))
        wanted = test.fingerprints
        if not wanted or not all(each in existing for each in wanted):
            return None
        found, group = existing[wanted[0]]
        return Plan(strategy="already_present", parent=group.path, existing=found.node.start_byte)

    def _has_markers(self, text: bytes, test: RubyTest) -> bool:
        return {line.strip() for line in text.decode(errors="replace").split("\n")}.issuperset(test.markers)

    def _plan_at(self, test: RubyTest, placement: _Placement) -> Plan:
        """Return the plan for a placement."""
        rendered: RenderedTest = test.render(placement.context)
        document = self._outline.document
        code = writing.to_file_style(
            rendered.text,
            rendered.protected,
            placement.point.prefix,
            insertion_points.unit(self._outline).decode(),
            document.eol.decode(),
        )
        return Plan(
            strategy=placement.strategy,
            parent=placement.parent,
            splices=(insertion_points.splice_at(document, placement.point, code),),
            names=rendered.names,
            warnings=rendered.warnings,
        )


def _nodes(body: Node | None) -> list[Node]:
    return [body] if body is not None else []
