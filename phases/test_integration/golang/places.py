"""Where in a Go file a test goes: beside a suite's methods, among subtests, or behind the last test."""

from __future__ import annotations

from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration import broken
from phases.test_integration.golang.layout import Function, Layout
from phases.test_integration.golang.snippet import Snippet
from phases.test_integration.golang.subtests import SKIPPING, last_subtest
from phases.test_integration.red_tests import RedTest
from phases.test_integration.spots import Spot
from phases.test_integration.words import split_extension, split_path, words_of

_GROUP = "TestSecurity"
GAP = 1  # empty lines around a function


@dataclass(frozen=True, slots=True)
class Place:
    """`suite` is a method of the suite to stand beside, `group` the function whose subtest it becomes."""

    spot: Spot
    strategy: str
    suite: Function | None = None
    group: Function | None = None

    @property
    def parent(self) -> str:
        return self.group.name if self.group else self.suite.type_name if self.suite else ""


def choose(layout: Layout, red_test: RedTest, snippet: Snippet) -> Place:
    """Raises TargetRefused where the file is broken and what stands before the place is doubtful."""
    document = layout.document
    if snippet.is_body:
        if suite := _suite_for(layout, red_test, snippet):
            return Place(_behind(layout, suite.node), "after_last_method", suite=suite)
        for function in layout.tests:
            if function.name == _GROUP and (last := last_subtest(layout, function)):
                return Place(_behind(layout, last), "inside_group", group=function)
    tests = layout.tests
    if tests:
        last_test = max(tests, key=lambda each: each.node.end_byte)
        return Place(_behind(layout, last_test.node), "after_last_test")
    if layout.root.has_error:
        broken.check_end(document)
    return Place(Spot(len(document.content), "", GAP), "end_of_file")


def _suite_for(layout: Layout, red_test: RedTest, snippet: Snippet) -> Function | None:
    """The last test of the suite whose value the test reads, of several the one of the best name."""
    read = {name for name in snippet.used if name not in snippet.declared | layout.names}
    methods = [
        each
        for each in layout.tests
        if each.type_name and each.receiver in read and each.receiver not in layout.imported
    ]
    if not methods:
        return None
    skipped = {
        each.type_name
        for each in layout.functions
        if each.name in ("SetupSuite", "SetupTest", "BeforeTest") and SKIPPING.search(layout.text(each.node))
    }
    methods = [each for each in methods if each.type_name not in skipped] or methods
    about = set(words_of(split_extension(split_path(red_test.vulnerable_file)[1])[0]))
    about |= set(words_of(red_test.name)) | {"security"}
    best = max(methods, key=lambda each: len(about & set(words_of(each.type_name)))).type_name
    return max((each for each in methods if each.type_name == best), key=lambda each: each.node.end_byte)


def _behind(layout: Layout, node: Node) -> Spot:
    if layout.root.has_error:
        if not layout.text(node).endswith(("}", "})")):
            raise broken.doubtful()
        broken.check_function(layout.document, node.start_byte, node.end_byte)
    return Spot(layout.document.next_line(node.end_byte), "", GAP)
