"""A pytest file as a target: where in it a test goes, and whether the test is there already."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import cached_property

from phases.test_integration.document import Span, Splice
from phases.test_integration.errors import InvalidTestCode, TargetRefused
from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.python import collected, groups, spots, whole_tests, writing
from phases.test_integration.python.layout import Class, Function, Layout
from phases.test_integration.python.pytest_test import PytestTest, Setting, functions_of
from phases.test_integration.python.snippet import DEFINITIONS, Snippet, parse, rows_in_strings
from phases.test_integration.python.unbound import ALWAYS_BOUND
from phases.test_integration.red_tests import RedTest
from phases.test_integration.spots import Spot, splice_at

_ENOUGH = 5  # what must speak for a class where the file has tests outside of classes
_NEW_CLASS = "TestSecurity"


@dataclass(frozen=True, slots=True)
class Place:
    setting: Setting
    spot: Spot
    strategy: str


@dataclass(frozen=True, slots=True)
class _Group:
    """A class that takes the test, and how much speaks for it."""

    group: Class
    spot: Spot
    affinity: int


class PytestTarget:
    """One file's outline and what pytest makes of it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @cached_property
    def _tests(self) -> list[Function]:
        return collected.tests_of(self._layout.functions)

    @cached_property
    def _groups(self) -> list[tuple[Class, list[Function]]]:
        """Classes with tests, in which one more would run."""
        with_tests = ((group, collected.tests_of(group.functions)) for group in self._layout.classes)
        return [
            (group, tests) for group, tests in with_tests if tests and collected.runs(self._layout, group)
        ]

    @cached_property
    def _fixtures(self) -> collected.Fixtures:
        return collected.Fixtures(self._layout)

    @property
    def has_tests(self) -> bool:
        return bool(self._tests or any(collected.tests_of(group.functions) for group in self._layout.classes))

    @property
    def notices(self) -> tuple[Notice, ...]:
        return collected.module_notices(self._layout)

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode, and TargetRefused where every test must take the file's own parameters."""
        if collected.parametrizes_module(self._layout):
            raise TargetRefused(
                "the file's pytestmark parametrizes every test: a new one would not be collected"
            )
        test, same_class = self._into_class_of_same_name(self._read(red_test))
        place = self._choose(test, same_class)
        return self._already_there(test, place) or self._plan_at(test, place)

    def plan_append(self, red_test: RedTest) -> Plan:
        test = self._read(red_test)
        place = Place(self._setting(wraps=self._wraps(test)), spots.end_of_file(self._layout), "append")
        return self._plan_at(test, place)

    def has(self, plan: Plan, span: Span) -> bool:
        group = self._layout.class_at(plan.parent) if plan.parent else None
        if plan.parent and group is None:
            return False
        functions = group.functions if group else self._layout.functions
        classes = [each for each in self._layout.classes if each.path == each.name] if not group else []
        standing = {
            each.name
            for each in (*functions, *classes)
            if span.start <= each.node.start_byte and each.node.end_byte <= span.end
        }
        return standing.issuperset(plan.names)

    def _read(self, red_test: RedTest) -> PytestTest:
        return PytestTest.of(red_test)

    def _into_class_of_same_name(self, test: PytestTest) -> tuple[PytestTest, Class | None]:
        """A class that the file has already gives its methods to the file's."""
        methods = whole_tests.methods_of(test.snippet)
        if methods:
            name, code = methods
            for group, _ in self._groups:
                if group.path == name:
                    return replace(test, snippet=Snippet.of(code)), group
        return test, None

    def _choose(self, test: PytestTest, same_class: Class | None) -> Place:
        candidates = self._candidates(test)
        for each in candidates:
            if each.group is same_class:
                return self._in_class(each)
        best = max(candidates, key=lambda each: each.affinity, default=None)
        if best and self._suits(test, best, alone=len(candidates) == 1):
            return self._in_class(best)
        if (test.uses_self and test.fits_a_class) or (best and not self._tests):
            return self._in_new_class(test)
        if self._tests:
            return Place(self._setting(), spots.after(self._layout, self._tests[-1].node), "after_last_test")
        return self._behind_classes(self._setting(), "after_last_class")

    def _candidates(self, test: PytestTest) -> list[_Group]:
        if not test.fits_a_class:
            return []
        found = []
        clues = self._clues(test)
        has_choice = len(self._groups) > 1 or bool(self._tests)
        for group, tests in self._groups:
            spot = spots.inside_class(self._layout, group, tests)
            if spot and self._takes(group, test):
                affinity = groups.affinity(self._layout, group, clues) if has_choice else 0
                found.append(_Group(group, spot, affinity))
        return found

    def _takes(self, group: Class, test: PytestTest) -> bool:
        """Whether the test would work there: a TestCase knows no fixtures, and only some await."""
        if not collected.is_test_case(self._layout, group):
            return not test.needs_test_case
        awaits = any("Async" in base for base in group.bases)
        return not test.fixtures(self._setting()) and (awaits or not test.is_async)

    def _suits(self, test: PytestTest, best: _Group, *, alone: bool) -> bool:
        if test.uses_self:
            return True
        if not self._tests:
            return alone or best.affinity > 0
        if best.affinity < _ENOUGH:
            return False
        return best.affinity > groups.module_affinity(self._layout, self._tests, self._clues(test))

    def _clues(self, test: PytestTest) -> groups.Clues:
        used = test.snippet.free_names.keys() - ALWAYS_BOUND - {"pytest"}
        vulnerable_file, name = test.red_test.vulnerable_file, test.red_test.name
        return groups.clues(self._layout, vulnerable_file, name, used, test.snippet.self_attributes)

    def _in_class(self, chosen: _Group) -> Place:
        return Place(self._setting(chosen.group), chosen.spot, "after_last_method")

    def _in_new_class(self, test: PytestTest) -> Place:
        if not test.fits_a_class:
            return self._behind_classes(self._setting(), "after_last_class")
        return self._behind_classes(self._setting(wraps=self._wraps(test) or self._header("")), "new_class")

    def _behind_classes(self, setting: Setting, strategy: str) -> Place:
        """Behind the last class with tests, or at the end of a file that has none."""
        outermost = [group for group in self._layout.classes if group.path == group.name]
        holders = [group for group in outermost if collected.tests_of(group.functions)]
        anchors = [*(each.node for each in holders), *(each.node for each in self._tests)]
        if not anchors:
            return Place(setting, spots.end_of_module(self._layout), "end_of_module")
        last = max(anchors, key=lambda node: node.end_byte)
        return Place(setting, spots.after(self._layout, last), strategy)

    def _setting(self, group: Class | None = None, wraps: str = "") -> Setting:
        return Setting(self._layout, self._fixtures, group, wraps)

    def _wraps(self, test: PytestTest) -> str:
        """The header of the class that a test with `self` needs."""
        if not (test.uses_self and test.fits_a_class):
            return ""
        return self._header(self._test_case if test.needs_test_case else "")

    def _header(self, base: str) -> str:
        name = writing.unique(_NEW_CLASS, self._layout.names)
        return f"class {name}({base}):" if base else f"class {name}:"

    @property
    def _test_case(self) -> str:
        """`TestCase` as the file calls it."""
        by_origin = {origin: name for name, origin in self._layout.origins.items()}
        return by_origin.get("unittest.TestCase") or f"{by_origin.get('unittest', 'unittest')}.TestCase"

    def _already_there(self, test: PytestTest, place: Place) -> Plan | None:
        """The file's own copy of the test: the same statements under the same marks."""
        mark = test.marks[0].encode()
        if mark not in self._layout.document.content:
            return None
        wanted = test.fingerprints(test.write(place.setting, keep_names=True).text)
        there: dict[str, tuple[Function, Class | None]] = {}
        for function, group in functions_of(self._layout):
            text = self._layout.document.lines[function.node.start_byte : function.node.end_byte]
            if mark in text and (found := self._fingerprint(function, test)):
                there.setdefault(found, (function, group))
        if not wanted or not all(each in there for each in wanted):
            return None
        function, group = there[wanted[0]]
        return Plan(
            strategy="already_present",
            parent=group.path if group else "",
            existing=function.node.start_byte,
        )

    def _fingerprint(self, function: Function, test: PytestTest) -> str:
        document = self._layout.document
        start = document.line_start(function.node.start_byte)
        text = document.lines[start : function.node.end_byte].decode().replace("\r\n", "\n")
        if not {line.strip() for line in text.split("\n")}.issuperset(test.marks):
            return ""
        try:
            tree = parse(f"if 1:\n{text}" if text[:1] in " \t" else text)
        except InvalidTestCode:
            return ""
        functions = (node for node in ast.walk(tree) if isinstance(node, DEFINITIONS))
        return next(map(writing.fingerprint, functions), "")

    def _plan_at(self, test: PytestTest, place: Place) -> Plan:
        written = test.write(place.setting)
        layout = self._layout
        text, imports = written.text, list(written.imports)
        if "(unittest." in text and "unittest" not in layout.names and "import unittest" not in imports:
            imports.append("import unittest")
        if place.strategy == "append" and imports:
            text, imports = "\n".join((*imports, "", "", text)), []
        main, head = self._splices(place, text, imports)
        if head and head.offset == main.offset:
            main, head = self._splices(place, "\n".join((*imports, "", "", text)), [])
        splices = sorted(filter(None, (head, main)), key=lambda splice: splice.offset)
        group = place.setting.group
        return Plan(
            strategy=place.strategy,
            parent=group.path if group else "",
            splices=tuple(splices),
            main=splices.index(main),
            names=written.names,
            notices=written.notices,
        )

    def _splices(self, place: Place, text: str, imports: list[str]) -> tuple[Splice, Splice | None]:
        """The text at its place in the file's style, and the imports at theirs."""
        document = self._layout.document
        styled = writing.to_file_style(
            text, rows_in_strings(text), place.spot.prefix, self._layout.indent_unit, document.eol.decode()
        )
        main = splice_at(document, place.spot, styled)
        return main, spots.import_splice(self._layout, imports)
