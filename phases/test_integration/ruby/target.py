"""A Ruby file as a target: where in it a test goes, and whether the test is there already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.document import Span
from phases.test_integration.errors import TargetRefused
from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.red_tests import RedTest
from phases.test_integration.ruby import groups, notices, spots, writing
from phases.test_integration.ruby.dialect import Dialect
from phases.test_integration.ruby.fingerprints import fingerprint
from phases.test_integration.ruby.habits import Habits
from phases.test_integration.ruby.layout import Group, Layout, Test
from phases.test_integration.ruby.ruby_test import RubyTest, Setting, Written
from phases.test_integration.ruby.spots import Spot

_BASE = re.compile(r"(?:Test|Tests|TestCase|Spec|Case)$")
_NAME = re.compile(r"(?:Tests?|TestCase|Spec)$|^Test")
_QUIET_SKIP = re.compile(r"\bself\.runnable_methods\b|\bself\.abstract\b")


@dataclass(frozen=True, slots=True)
class _Place:
    setting: Setting
    spot: Spot
    strategy: str
    parent: str


class RubyTarget:
    """One file's outline and what its framework makes of it."""

    def __init__(self, layout: Layout, dialect: Dialect) -> None:
        if layout.document.eol == b"\r":
            raise TargetRefused("its lines end in lone carriage returns, which Ruby takes for spaces")
        self._layout = layout
        self._dialect = dialect

    @cached_property
    def _habits(self) -> Habits:
        return Habits(self._layout, self._dialect)

    @property
    def has_tests(self) -> bool:
        return self._layout.file.holds_tests or bool(self._candidates)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return notices.of_file(self._layout)

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode."""
        test = RubyTest.of(red_test, self._layout, self._dialect, self._habits)
        if there := self._already_there(test):
            return there
        test = test.in_style()
        return self._already_there(test) or self._plan_at(test, self._choose(test))

    def plan_append(self, red_test: RedTest) -> Plan:
        test = RubyTest.of(red_test, self._layout, self._dialect, self._habits).in_style()
        spot = spots.end_of_file(self._layout)
        return self._plan_at(test, _Place(self._new_group(None), spot, "append", ""))

    def has(self, plan: Plan, span: Span) -> bool:
        for group in self._layout.at(plan.parent):
            standing = {
                name
                for member in group.members
                if span.start <= member.node.start_byte and member.node.end_byte <= span.end
                for name in (
                    member.test.name if member.test else "",
                    member.group.name if member.group else "",
                )
                if name
            }
            if plan.names and standing.issuperset(plan.names):
                return True
        return False

    @cached_property
    def _inherited(self) -> set[str]:
        """The last names of all bases that the file's own classes have."""
        return {group.base.rpartition("::")[2] for group in self._layout.groups if group.base}

    def _runs(self, group: Group) -> bool:
        """Whether one more test in the group is collected, and run exactly once."""
        if group.barred or group.holds_tests != self._layout.file.holds_tests:
            return False
        if group.kind == "block":
            return self._is_collected_block(group)
        return group.kind == "class" and self._dialect.has_methods and self._is_collected_class(group)

    def _is_collected_block(self, group: Group) -> bool:
        around = group.parent
        while around is not None and around.kind in ("block", "other"):
            around = around.parent
        return (
            around is None
            or around.kind in ("root", "module")
            or not self._dialect.has_methods
            or (self._is_collected_class(around))
        )

    def _is_collected_class(self, group: Group) -> bool:
        if group.name.rpartition("::")[2] in self._inherited:
            return False
        if any(member.word == "undef_method" for member in group.members):
            return False
        if any(
            member.node.type == "singleton_method" and _QUIET_SKIP.search(self._layout.text(member.node))
            for member in group.members
        ):
            return False
        base = group.base or next((each.base for each in self._layout.at(group.path) if each.base), "")
        return bool(base) and bool(_BASE.search(base) or _NAME.search(group.name))

    def _choose(self, test: RubyTest) -> _Place:
        if test.stands_alone:
            same = next((each for each in self._candidates if each.name == test.group_name), None)
            if same is None or not test.can_join(same):
                return self._in_new_group()
        scores = groups.affinities(self._layout, test.clues)
        best, most = None, -1
        tops = set()
        for index, group in enumerate(self._layout.groups):
            if id(group) not in self._candidate_ids:
                continue
            tops.add(id(self._top(group)))
            score = scores[index] + (10_000 if group.name == test.group_name and test.can_join(group) else 0)
            if score > most:
                best, most = group, score
        if best is None or (most <= 0 and len(tops) > 1):
            return self._in_new_group()
        spot = spots.inside(self._layout, best)
        return (
            _Place(self._setting(best), spot, self._strategy(best), best.path)
            if spot
            else self._in_new_group()
        )

    @cached_property
    def _candidates(self) -> list[Group]:
        return [group for group in self._layout.groups if self._runs(group) and self._has_room(group)]

    @cached_property
    def _candidate_ids(self) -> set[int]:
        return set(map(id, self._candidates))

    def _has_room(self, group: Group) -> bool:
        """A class needs tests of its own, a block only some below it; where no group has any, none does."""
        if group.closer is None:
            return False
        if group.kind == "block" or not self._layout.file.holds_tests:
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

    def _setting(self, group: Group) -> Setting:
        tests = [each for each in group.tests if each.is_plain]
        if not tests and group.kind == "block":
            inner = [each for each in self._layout.groups if each.path.startswith(group.path)][:50]
            tests = [test for each in inner for test in each.tests if test.is_plain]
        keyword = tests[-1].keyword if tests else self._habits.first_keyword(group)
        return Setting(
            self._layout, self._dialect, self._habits, group, "its" not in keyword and keyword or "it"
        )

    def _in_new_group(self) -> _Place:
        """Behind the last group that holds tests, in the modules that it stands in."""
        container, position = self._layout.file, -1
        while True:
            holding = [index for index, each in enumerate(container.members) if each.holds_tests]
            position = holding[-1] if holding else -1
            inner = container.members[position].group if holding else None
            if inner is None or inner.kind != "module" or inner.closer is None or inner.tests:
                break
            container = inner
        anchor = container.members[position].group if position >= 0 else None
        if container.kind != "module" or not holding:
            spot = self._at_file_level(position)
            return _Place(self._new_group(anchor), spot, "new_group", "")
        found = spots.inside(self._layout, container)
        if found is None:
            return _Place(self._new_group(anchor), spots.end_of_file(self._layout), "new_group", "")
        return _Place(self._new_group(anchor), found, "new_group", container.path)

    def _at_file_level(self, position: int) -> Spot:
        end = spots.end_of_file(self._layout)
        if position < 0:
            return end
        offset = spots.after(self._layout, self._layout.file.members, position)
        return Spot(min(offset, end.offset), "")

    def _new_group(self, anchor: Group | None) -> Setting:
        """A group of its own, like the one that it stands behind."""
        while anchor is not None and anchor.kind == "other":
            anchor = next((each.group for each in anchor.members if each.group and each.holds_tests), None)
        return Setting(self._layout, self._dialect, self._habits, None, "", like=anchor)

    def _already_there(self, test: RubyTest) -> Plan | None:
        """The file's own copies of the tests: the same statements under the same marks."""
        document, mark = self._layout.document, test.marks[0].encode()
        if mark not in document.content:
            return None
        there: dict[str, tuple[Test, Group]] = {}
        for group in self._layout.groups:
            for each in group.tests:
                text = document.lines[each.node.start_byte : each.node.end_byte]
                if mark in text and self._has_marks(text, test):
                    there.setdefault(fingerprint(document, _nodes(each.body)), (each, group))
        wanted = test.fingerprints
        if not wanted or not all(each in there for each in wanted):
            return None
        found, group = there[wanted[0]]
        return Plan(strategy="already_present", parent=group.path, existing=found.node.start_byte)

    def _has_marks(self, text: bytes, test: RubyTest) -> bool:
        return {line.strip() for line in text.decode(errors="replace").split("\n")}.issuperset(test.marks)

    def _plan_at(self, test: RubyTest, place: _Place) -> Plan:
        written: Written = test.write(place.setting)
        document = self._layout.document
        code = writing.to_file_style(
            written.text,
            written.protected,
            place.spot.prefix,
            spots.unit(self._layout).decode(),
            document.eol.decode(),
        )
        return Plan(
            strategy=place.strategy,
            parent=place.parent,
            splices=(spots.splice_at(document, place.spot, code),),
            names=written.names,
            notices=written.notices,
        )


def _nodes(body: Node | None) -> list[Node]:
    return [body] if body is not None else []
