"""A pytest file as an insertion target."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import cached_property

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from phases.test_integration.languages.python import (
    collection,
    complete_tests,
    group_scores,
    insertion_points,
    writing,
)
from phases.test_integration.languages.python.outline import Class, Function, Outline
from phases.test_integration.languages.python.renderer import Context, PytestTest, functions_of
from phases.test_integration.languages.python.snippet import (
    DEFINITIONS,
    Snippet,
    parse,
    rows_in_strings,
)
from phases.test_integration.languages.python.unbound_names import ALWAYS_BOUND
from phases.test_integration.plan.insertion_points import InsertionPoint, splice_at
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.document import Span, Splice
from phases.test_integration.read.red_tests import RedTest

_MIN_SCORE = 5  # of a class, in a file that also has tests outside classes
_NEW_CLASS = "TestSecurity"


@dataclass(frozen=True, slots=True)
class Placement:
    """The chosen place of a test and the strategy that the API reports."""

    context: Context
    point: InsertionPoint
    strategy: str


@dataclass(frozen=True, slots=True)
class _Group:
    """A class that can take the test, and its score."""

    group: Class
    point: InsertionPoint
    score: int


class PytestTarget:
    """A file and the tests that pytest collects from it."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline

    @cached_property
    def _tests(self) -> list[Function]:
        return collection.tests_of(self._outline.functions)

    @cached_property
    def _groups(self) -> list[tuple[Class, list[Function]]]:
        """Return the classes with tests in which a new one would run."""
        with_tests = ((group, collection.tests_of(group.functions)) for group in self._outline.classes)
        return [
            (group, tests) for group, tests in with_tests if tests and collection.runs(self._outline, group)
        ]

    @cached_property
    def _fixtures(self) -> collection.Fixtures:
        return collection.Fixtures(self._outline)

    @property
    def has_tests(self) -> bool:
        return bool(
            self._tests or any(collection.tests_of(group.functions) for group in self._outline.classes)
        )

    @property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        return collection.module_warnings(self._outline)

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode, and TargetRejected where pytestmark parametrizes every test."""
        if collection.parametrizes_module(self._outline):
            raise TargetRejected(
                "the file's pytestmark parametrizes every test: a new one would not be collected"
            )
        test, same_class = self._into_class_of_same_name(self._read(red_test))
        placement = self._choose(test, same_class)
        return self._find_existing(test, placement) or self._plan_at(test, placement)

    def plan_append(self, red_test: RedTest) -> Plan:
        test = self._read(red_test)
        placement = Placement(
            self._context(wraps=self._wraps(test)), insertion_points.end_of_file(self._outline), "append"
        )
        return self._plan_at(test, placement)

    def has(self, plan: Plan, span: Span) -> bool:
        group = self._outline.class_at(plan.parent) if plan.parent else None
        if plan.parent and group is None:
            return False
        functions = group.functions if group else self._outline.functions
        classes = [each for each in self._outline.classes if each.path == each.name] if not group else []
        inserted_names = {
            each.name
            for each in (*functions, *classes)
            if span.start <= each.node.start_byte and each.node.end_byte <= span.end
        }
        return inserted_names.issuperset(plan.names)

    def _read(self, red_test: RedTest) -> PytestTest:
        return PytestTest.of(red_test)

    def _into_class_of_same_name(self, test: PytestTest) -> tuple[PytestTest, Class | None]:
        """Return the test's methods alone, and the file's class of the same name, where there is one."""
        methods = complete_tests.methods_of(test.snippet)
        if methods:
            name, code = methods
            for group, _ in self._groups:
                if group.path == name:
                    return replace(test, snippet=Snippet.of(code)), group
        return test, None

    def _choose(self, test: PytestTest, same_class: Class | None) -> Placement:
        """Choose a class or the top level: the class of the same name, the best-scored one, or a new one."""
        candidates = self._candidates(test)
        for each in candidates:
            if each.group is same_class:
                return self._in_class(each)
        # Of equal scores the first class in the file.
        best = max(candidates, key=lambda each: each.score, default=None)
        if best and self._is_suitable(test, best, alone=len(candidates) == 1):
            return self._in_class(best)
        # A file whose tests are all in classes gets another class, not a function.
        if (test.uses_self and test.fits_in_class) or (best and not self._tests):
            return self._in_new_class(test)
        if self._tests:
            return Placement(
                self._context(),
                insertion_points.after(self._outline, self._tests[-1].node),
                "after_last_test",
            )
        return self._after_classes(self._context(), "after_last_class")

    def _candidates(self, test: PytestTest) -> list[_Group]:
        if not test.fits_in_class:
            return []
        found = []
        topics = self._topics(test)
        has_choice = len(self._groups) > 1 or bool(self._tests)
        for group, tests in self._groups:
            point = insertion_points.inside_class(self._outline, group, tests)
            if point and self._accepts(group, test):
                score = group_scores.score_group(self._outline, group, topics) if has_choice else 0
                found.append(_Group(group, point, score))
        return found

    def _accepts(self, group: Class, test: PytestTest) -> bool:
        """Return whether the test can run there: a TestCase takes no fixtures, and only some can await."""
        if not collection.is_test_case(self._outline, group):
            return not test.needs_test_case
        awaits = any("Async" in base for base in group.bases)
        return not test.fixtures(self._context()) and (awaits or not test.is_async)

    def _is_suitable(self, test: PytestTest, best: _Group, *, alone: bool) -> bool:
        if test.uses_self:
            return True
        if not self._tests:
            return alone or best.score > 0
        if best.score < _MIN_SCORE:
            return False
        return best.score > group_scores.score_module_level(self._outline, self._tests, self._topics(test))

    def _topics(self, test: PytestTest) -> group_scores.Topics:
        used = test.snippet.free_names.keys() - ALWAYS_BOUND - {"pytest"}
        return group_scores.find_topics(
            self._outline,
            test.red_test.vulnerable_file,
            test.red_test.name,
            used,
            test.snippet.self_attributes,
        )

    def _in_class(self, chosen: _Group) -> Placement:
        return Placement(self._context(chosen.group), chosen.point, "after_last_method")

    def _in_new_class(self, test: PytestTest) -> Placement:
        if not test.fits_in_class:
            return self._after_classes(self._context(), "after_last_class")
        return self._after_classes(self._context(wraps=self._wraps(test) or self._header("")), "new_class")

    def _after_classes(self, context: Context, strategy: str) -> Placement:
        """Place the test after the last class with tests, or at the end of a file without tests."""
        outermost = [group for group in self._outline.classes if group.path == group.name]
        holders = [group for group in outermost if collection.tests_of(group.functions)]
        anchors = [*(each.node for each in holders), *(each.node for each in self._tests)]
        if not anchors:
            return Placement(context, insertion_points.end_of_module(self._outline), "end_of_module")
        last = max(anchors, key=lambda node: node.end_byte)
        return Placement(context, insertion_points.after(self._outline, last), strategy)

    def _context(self, group: Class | None = None, wraps: str = "") -> Context:
        return Context(self._outline, self._fixtures, group, wraps)

    def _wraps(self, test: PytestTest) -> str:
        """Return the header of the class that a test with `self` needs."""
        if not (test.uses_self and test.fits_in_class):
            return ""
        return self._header(self._test_case if test.needs_test_case else "")

    def _header(self, base: str) -> str:
        name = writing.make_unique(_NEW_CLASS, self._outline.names)
        return f"class {name}({base}):" if base else f"class {name}:"

    @property
    def _test_case(self) -> str:
        """Return the file's name for `TestCase`."""
        by_origin = {origin: name for name, origin in self._outline.origins.items()}
        return by_origin.get("unittest.TestCase") or f"{by_origin.get('unittest', 'unittest')}.TestCase"

    def _find_existing(self, test: PytestTest, placement: Placement) -> Plan | None:
        """Find the test in the file: the same statements under the same markers."""
        marker = test.markers[0].encode()
        if marker not in self._outline.document.content:
            return None
        wanted = test.fingerprints(test.render(placement.context, keep_names=True).text)
        existing: dict[str, tuple[Function, Class | None]] = {}
        for function, group in functions_of(self._outline):
            text = self._outline.document.lines[function.node.start_byte : function.node.end_byte]
            if marker in text and (found := self._fingerprint(function, test)):
                existing.setdefault(found, (function, group))
        if not wanted or not all(each in existing for each in wanted):
            return None
        function, group = existing[wanted[0]]
        return Plan(
            strategy="already_present",
            parent=group.path if group else "",
            existing=function.node.start_byte,
        )

    def _fingerprint(self, function: Function, test: PytestTest) -> str:
        document = self._outline.document
        start = document.line_start(function.node.start_byte)
        text = document.lines[start : function.node.end_byte].decode().replace("\r\n", "\n")
        if not {line.strip() for line in text.split("\n")}.issuperset(test.markers):
            return ""
        try:
            # A method's text is indented: `if 1:` makes it a file of its own.
            tree = parse(f"if 1:\n{text}" if text[:1] in " \t" else text)
        except InvalidTestCode:
            return ""
        functions = (node for node in ast.walk(tree) if isinstance(node, DEFINITIONS))
        return next(map(writing.fingerprint, functions), "")

    def _plan_at(self, test: PytestTest, placement: Placement) -> Plan:
        """Return the plan for a placement, with the imports that the text needs."""
        rendered = test.render(placement.context)
        outline = self._outline
        text, imports = rendered.text, list(rendered.imports)
        if "(unittest." in text and "unittest" not in outline.names and "import unittest" not in imports:
            imports.append("import unittest")
        if placement.strategy == "append" and imports:
            text, imports = "\n".join((*imports, "", "", text)), []
        main, head = self._splices(placement, text, imports)
        # Both at one offset, as in an empty file: one splice, so that the imports come first.
        if head and head.offset == main.offset:
            main, head = self._splices(placement, "\n".join((*imports, "", "", text)), [])
        splices = sorted(filter(None, (head, main)), key=lambda splice: splice.offset)
        group = placement.context.group
        return Plan(
            strategy=placement.strategy,
            parent=group.path if group else "",
            splices=tuple(splices),
            main=splices.index(main),
            names=rendered.names,
            warnings=rendered.warnings,
        )

    def _splices(self, placement: Placement, text: str, imports: list[str]) -> tuple[Splice, Splice | None]:
        """Return the splices of the test in the file's style and of its imports."""
        document = self._outline.document
        styled = writing.to_file_style(
            text,
            rows_in_strings(text),
            placement.point.prefix,
            self._outline.indent_unit,
            document.eol.decode(),
        )
        main = splice_at(document, placement.point, styled)
        return main, insertion_points.import_splice(self._outline, imports)
