"""A unittest file as a target: only methods of `unittest.TestCase` are tests, and nothing is a fixture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from unittest import IsolatedAsyncioTestCase

from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.python import collected, spots
from phases.test_integration.python.layout import Class, Function, Layout, bare_statement
from phases.test_integration.python.matchers import without_pytest
from phases.test_integration.python.pytest_target import Place, PytestTarget
from phases.test_integration.python.pytest_test import PytestTest, Setting
from phases.test_integration.python.snippet import Snippet
from phases.test_integration.python.test_cases import as_test_cases
from phases.test_integration.red_tests import RedTest

_TEST_BASE = re.compile(r"(?:Tests?|(?<!\w)(?>\w*?(?:Test[A-Z]|BaseTest))\w*+)$")
_RAISES_SKIP = re.compile(r"\braise\s+(?:\w+\.)*SkipTest\b")
_MAY_SKIP = re.compile(r"\bSkipTest\b|\bimport_module\(|\bsupport\.requires\(|\bskip_unless|\bskip_if")
_COMPOUND = ("if_statement", "try_statement", "with_statement")
_OWN_ATTRIBUTES = frozenset(dir(IsolatedAsyncioTestCase))
_ASYNC, _PLAIN = "IsolatedAsyncioTestCase", "TestCase"


class UnittestTarget(PytestTarget):
    """One file's outline and what unittest makes of it."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._by_origin = {origin: name for name, origin in layout.origins.items()}

    @cached_property
    def _tests(self) -> list[Function]:
        return []

    @cached_property
    def _groups(self) -> list[tuple[Class, list[Function]]]:
        """Test cases in which one more test would run once; those without a test of their own as well."""
        return [
            (group, collected.tests_of(group.functions))
            for group in self._layout.classes
            if group.path == group.name
            and self._layout.class_at(group.path) is group
            and self._is_case(group)
            and self._runs(group)
        ]

    @cached_property
    def _fixtures(self) -> collected.Fixtures:
        """None: a test case's methods take nothing."""
        return collected.Fixtures(Layout(self._layout.document, self._layout.root))

    @property
    def has_tests(self) -> bool:
        return bool(self._groups) or any(
            self._is_case(group) or collected.tests_of(group.functions) for group in self._layout.classes
        )

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self._module_notices())

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode."""
        test, same_class = self._into_class_of_same_name(self._read(red_test))
        place = self._choose(test, same_class)
        return self._already_there(test, place) or self._plan_at(test, place)

    def _read(self, red_test: RedTest) -> PytestTest:
        snippet = without_pytest(Snippet.of(red_test.code))
        snippet = as_test_cases(snippet, self._base, self._layout.names)
        return PytestTest(red_test, snippet)

    def _choose(self, test: PytestTest, same_class: Class | None) -> Place:
        candidates = self._candidates(test)
        for each in candidates:
            if each.group is same_class:
                return self._in_class(each)
        best = max(candidates, key=lambda each: each.affinity, default=None)
        if best and (test.uses_self or len(candidates) == 1 or best.affinity > 0):
            return self._in_class(best)
        return self._in_new_class(test)

    def _takes(self, group: Class, test: PytestTest) -> bool:
        """Only some test cases await. One without tests of its own may be there to be counted or emptied."""
        awaits = any(
            "Async" in self._layout.origin_of(base) for each in self._lineage(group) for base in each.bases
        )
        return (awaits or not test.is_async) and bool(collected.tests_of(group.functions))

    def _wraps(self, test: PytestTest) -> str:
        return self._header(self._base_for(test)) if test.fits_a_class else ""

    def _setting(self, group: Class | None = None, wraps: str = "") -> Setting:
        return Setting(self._layout, self._fixtures, group, wraps, only_test_cases=True)

    def _base_for(self, test: PytestTest) -> str:
        """unittest's own, but the file's where the test reads what only that can have."""
        foreign = test.snippet.self_attributes - _OWN_ATTRIBUTES
        imported = [
            base
            for group, _ in self._groups
            for base in group.bases
            if base.partition(".")[0] in self._layout.origins and _TEST_BASE.search(base)
        ]
        if foreign and imported and not test.is_async:
            return imported[0]
        return self._base(test.is_async)

    def _base(self, asynchronous: bool) -> str:
        """`TestCase`, or the one that awaits, as the file calls it."""
        name = _ASYNC if asynchronous else _PLAIN
        return self._by_origin.get(f"unittest.{name}") or f"{self._unittest}.{name}"

    @property
    def _unittest(self) -> str:
        return self._by_origin.get("unittest", "unittest")

    def _is_case(self, group: Class) -> bool:
        """Whether it inherits `unittest.TestCase`, as far as this file and the names of others tell."""
        return any(
            self._layout.class_at(base) is None and _TEST_BASE.search(self._layout.origin_of(base))
            for each in self._lineage(group)
            for base in each.bases[: collected.MOST_BASES]
        )

    def _runs(self, group: Class) -> bool:
        lineage = self._lineage(group)
        harmless = all(map(collected.has_harmless_decorators, lineage))
        loaded = not {"__init__", "run", "runTest", "__new__"} & group.names
        skips = any(each.path in self._skipping for each in lineage)
        return group.name not in self._layout.bases and harmless and loaded and not skips

    @cached_property
    def _skipping(self) -> frozenset[str]:
        """The classes whose set-up may skip their tests."""
        return frozenset(
            group.path
            for group in self._layout.classes
            for function in group.functions
            if function.name in ("setUp", "setUpClass", "asyncSetUp")
            and re.search(r"\bSkipTest\b|\bskipTest\b", self._layout.text(function.node))
        )

    def _lineage(self, group: Class) -> list[Class]:
        return collected.lineage(self._layout, group)

    def _module_notices(self) -> Iterator[Notice]:
        for node in self._layout.root.named_children:
            text = bare_statement(self._layout.text(node)) if node.type != "class_definition" else ""
            line = node.start_point.row + 1
            if node.type == "raise_statement" and "SkipTest" in text:
                yield Notice("module_skipped", "the file skips all of its tests, new ones too", line)
            elif (node.type in _COMPOUND and _RAISES_SKIP.search(text)) or (
                node.type == "expression_statement" and _MAY_SKIP.search(text)
            ):
                yield Notice("module_may_be_skipped", "the file skips its tests under a condition", line)
        for function in self._layout.functions:
            text = self._layout.text(function.node)
            line = function.node.start_point.row + 1
            if function.name == "setUpModule" and "SkipTest" in text:
                yield Notice("module_may_be_skipped", "the file skips its tests under a condition", line)
            if function.name == "load_tests" and not _returns_all(function, text):
                message = "the file's load_tests chooses the tests that run; make sure of the new ones"
                yield Notice("load_tests_chooses", message, line)

    def _behind_classes(self, setting: Setting, strategy: str) -> Place:
        """Behind the last test case, or at the end of a file that has none."""
        outermost = [group for group in self._layout.classes if group.path == group.name]
        holders = [group for group in outermost if self._is_case(group)]
        if not holders:
            return Place(setting, spots.end_of_module(self._layout), "end_of_module")
        last = max((group.node for group in holders), key=lambda node: node.end_byte)
        return Place(setting, spots.after(self._layout, last), strategy)


def _returns_all(function: Function, text: str) -> bool:
    """Whether load_tests hands on the tests that it was given."""
    given = function.parameters[1:2] or ("tests",)
    return re.search(rf"\breturn\s+{re.escape(given[0])}\b", text) is not None
