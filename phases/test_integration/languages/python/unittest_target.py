"""A unittest file as an insertion target: only methods of `unittest.TestCase` are tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from unittest import IsolatedAsyncioTestCase

from phases.test_integration.languages.python import collection, insertion_points
from phases.test_integration.languages.python.matchers import without_pytest
from phases.test_integration.languages.python.outline import (
    Class,
    Function,
    Outline,
    bare_statement,
)
from phases.test_integration.languages.python.pytest_target import Placement, PytestTarget
from phases.test_integration.languages.python.renderer import Context, PytestTest
from phases.test_integration.languages.python.snippet import Snippet
from phases.test_integration.languages.python.unittest_classes import as_test_cases
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.red_tests import RedTest

_TEST_BASE = re.compile(r"(?:Tests?|(?<!\w)(?>\w*?(?:Test[A-Z]|BaseTest))\w*+)$")
_RAISES_SKIP = re.compile(r"\braise\s+(?:\w+\.)*SkipTest\b")
_MAY_SKIP = re.compile(r"\bSkipTest\b|\bimport_module\(|\bsupport\.requires\(|\bskip_unless|\bskip_if")
_COMPOUND = ("if_statement", "try_statement", "with_statement")
_OWN_ATTRIBUTES = frozenset(dir(IsolatedAsyncioTestCase))
_ASYNC, _PLAIN = "IsolatedAsyncioTestCase", "TestCase"


class UnittestTarget(PytestTarget):
    """A file and the tests that unittest collects from it."""

    def __init__(self, outline: Outline) -> None:
        super().__init__(outline)
        self._by_origin = {origin: name for name, origin in outline.origins.items()}

    @cached_property
    def _tests(self) -> list[Function]:
        return []

    @cached_property
    def _groups(self) -> list[tuple[Class, list[Function]]]:
        """Return the test cases in which a new test would run exactly once, including those without tests."""
        return [
            (group, collection.tests_of(group.functions))
            for group in self._outline.classes
            if group.path == group.name
            and self._outline.class_at(group.path) is group
            and self._is_case(group)
            and self._runs(group)
        ]

    @cached_property
    def _fixtures(self) -> collection.Fixtures:
        """Return no fixtures: methods of a test case take none."""
        return collection.Fixtures(Outline(self._outline.document, self._outline.root))

    @property
    def has_tests(self) -> bool:
        return bool(self._groups) or any(
            self._is_case(group) or collection.tests_of(group.functions) for group in self._outline.classes
        )

    @property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        return tuple(self._module_warnings())

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode."""
        test, same_class = self._into_class_of_same_name(self._read(red_test))
        placement = self._choose(test, same_class)
        return self._find_existing(test, placement) or self._plan_at(test, placement)

    def _read(self, red_test: RedTest) -> PytestTest:
        snippet = without_pytest(Snippet.of(red_test.code))
        snippet = as_test_cases(snippet, self._base, self._outline.names)
        return PytestTest(red_test, snippet)

    def _choose(self, test: PytestTest, same_class: Class | None) -> Placement:
        candidates = self._candidates(test)
        for each in candidates:
            if each.group is same_class:
                return self._in_class(each)
        best = max(candidates, key=lambda each: each.score, default=None)
        if best and (test.uses_self or len(candidates) == 1 or best.score > 0):
            return self._in_class(best)
        return self._in_new_class(test)

    def _accepts(self, group: Class, test: PytestTest) -> bool:
        """Return whether the class has tests and can run the test; without tests it may be a base class."""
        awaits = any(
            "Async" in self._outline.origin_of(base) for each in self._lineage(group) for base in each.bases
        )
        return (awaits or not test.is_async) and bool(collection.tests_of(group.functions))

    def _wraps(self, test: PytestTest) -> str:
        return self._header(self._base_for(test)) if test.fits_in_class else ""

    def _context(self, group: Class | None = None, wraps: str = "") -> Context:
        return Context(self._outline, self._fixtures, group, wraps, only_test_cases=True)

    def _base_for(self, test: PytestTest) -> str:
        """Return unittest's test case, or the file's own where the test reads attributes that only it has."""
        foreign = test.snippet.self_attributes - _OWN_ATTRIBUTES
        imported = [
            base
            for group, _ in self._groups
            for base in group.bases
            if base.partition(".")[0] in self._outline.origins and _TEST_BASE.search(base)
        ]
        if foreign and imported and not test.is_async:
            return imported[0]
        return self._base(test.is_async)

    def _base(self, asynchronous: bool) -> str:
        """Return the file's name for `TestCase`, or for `IsolatedAsyncioTestCase`."""
        name = _ASYNC if asynchronous else _PLAIN
        return self._by_origin.get(f"unittest.{name}") or f"{self._unittest}.{name}"

    @property
    def _unittest(self) -> str:
        return self._by_origin.get("unittest", "unittest")

    def _is_case(self, group: Class) -> bool:
        """Return whether the class inherits `unittest.TestCase`, by this file and the names of its bases."""
        return any(
            self._outline.class_at(base) is None and _TEST_BASE.search(self._outline.origin_of(base))
            for each in self._lineage(group)
            for base in each.bases[: collection.MAX_BASES]
        )

    def _runs(self, group: Class) -> bool:
        lineage = self._lineage(group)
        harmless = all(map(collection.has_harmless_decorators, lineage))
        # A class with one of these decides itself how its tests are loaded or run.
        loaded = not {"__init__", "run", "runTest", "__new__"} & group.names
        skips = any(each.path in self._skipping for each in lineage)
        return group.name not in self._outline.bases and harmless and loaded and not skips

    @cached_property
    def _skipping(self) -> frozenset[str]:
        """Return the classes whose set-up may skip their tests."""
        return frozenset(
            group.path
            for group in self._outline.classes
            for function in group.functions
            if function.name in ("setUp", "setUpClass", "asyncSetUp")
            and re.search(r"\bSkipTest\b|\bskipTest\b", self._outline.text(function.node))
        )

    def _lineage(self, group: Class) -> list[Class]:
        return collection.lineage(self._outline, group)

    def _module_warnings(self) -> Iterator[InsertionWarning]:
        """Warn about a file that skips its tests, or that selects them in load_tests."""
        for node in self._outline.root.named_children:
            text = bare_statement(self._outline.text(node)) if node.type != "class_definition" else ""
            line = node.start_point.row + 1
            if node.type == "raise_statement" and "SkipTest" in text:
                yield InsertionWarning(
                    "module_skipped", "the file skips all of its tests, new ones too", line
                )
            elif (node.type in _COMPOUND and _RAISES_SKIP.search(text)) or (
                node.type == "expression_statement" and _MAY_SKIP.search(text)
            ):
                yield InsertionWarning(
                    "module_may_be_skipped", "the file skips its tests under a condition", line
                )
        for function in self._outline.functions:
            text = self._outline.text(function.node)
            line = function.node.start_point.row + 1
            if function.name == "setUpModule" and "SkipTest" in text:
                yield InsertionWarning(
                    "module_may_be_skipped", "the file skips its tests under a condition", line
                )
            if function.name == "load_tests" and not _returns_all(function, text):
                message = "the file's load_tests chooses the tests that run; make sure of the new ones"
                yield InsertionWarning("load_tests_chooses", message, line)

    def _after_classes(self, context: Context, strategy: str) -> Placement:
        """Place the test after the last test case, or at the end of a file without one."""
        outermost = [group for group in self._outline.classes if group.path == group.name]
        holders = [group for group in outermost if self._is_case(group)]
        if not holders:
            return Placement(context, insertion_points.end_of_module(self._outline), "end_of_module")
        last = max((group.node for group in holders), key=lambda node: node.end_byte)
        return Placement(context, insertion_points.after(self._outline, last), strategy)


def _returns_all(function: Function, text: str) -> bool:
    """Return whether load_tests returns the tests that it was given."""
    given = function.parameters[1:2] or ("tests",)
    return re.search(rf"\breturn\s+{re.escape(given[0])}\b", text) is not None
