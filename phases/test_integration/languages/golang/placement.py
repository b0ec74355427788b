"""Chooses where a test goes in a Go file: a suite, a function of subtests, or after the last test."""

from __future__ import annotations

from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.languages.golang.outline import Function, Outline
from phases.test_integration.languages.golang.snippet import Snippet
from phases.test_integration.languages.golang.subtests import SKIPPING, last_subtest
from phases.test_integration.plan import broken_syntax
from phases.test_integration.plan.insertion_points import InsertionPoint
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import split_extension, split_path, words_of

_GROUP = "TestSecurity"
BLANK_LINES = 1  # around a function


@dataclass(frozen=True, slots=True)
class Placement:
    """The chosen place. The test becomes a method beside `suite`, or a subtest of `group`."""

    point: InsertionPoint
    strategy: str
    suite: Function | None = None
    group: Function | None = None

    @property
    def parent(self) -> str:
        return self.group.name if self.group else self.suite.type_name if self.suite else ""


def choose_placement(outline: Outline, red_test: RedTest, snippet: Snippet) -> Placement:
    """Return the placement. Raises TargetRejected where a syntax error makes the position unsafe."""
    document = outline.document
    if snippet.is_body:
        if suite := _suite_for(outline, red_test, snippet):
            return Placement(_after(outline, suite.node), "after_last_method", suite=suite)
        for function in outline.tests:
            if function.name == _GROUP and (last := last_subtest(outline, function)):
                return Placement(_after(outline, last), "inside_group", group=function)
    tests = outline.tests
    if tests:
        last_test = max(tests, key=lambda each: each.node.end_byte)
        return Placement(_after(outline, last_test.node), "after_last_test")
    if outline.root.has_error:
        broken_syntax.check_file_end(document)
    return Placement(InsertionPoint(len(document.content), "", BLANK_LINES), "end_of_file")


def _suite_for(outline: Outline, red_test: RedTest, snippet: Snippet) -> Function | None:
    """Return the last test of the suite whose receiver the test reads; the best-named suite of several."""
    read = {name for name in snippet.used if name not in snippet.declared | outline.names}
    methods = [
        each
        for each in outline.tests
        if each.type_name and each.receiver in read and each.receiver not in outline.imported
    ]
    if not methods:
        return None
    skipped = {
        each.type_name
        for each in outline.functions
        if each.name in ("SetupSuite", "SetupTest", "BeforeTest") and SKIPPING.search(outline.text(each.node))
    }
    methods = [each for each in methods if each.type_name not in skipped] or methods
    about = set(words_of(split_extension(split_path(red_test.vulnerable_file)[1])[0]))
    about |= set(words_of(red_test.name)) | {"security"}
    best = max(methods, key=lambda each: len(about & set(words_of(each.type_name)))).type_name
    return max((each for each in methods if each.type_name == best), key=lambda each: each.node.end_byte)


def _after(outline: Outline, node: Node) -> InsertionPoint:
    if outline.root.has_error:
        # Without its closing brace, the parser has guessed where the node ends.
        if not outline.text(node).endswith(("}", "})")):
            raise broken_syntax.unsafe_position()
        broken_syntax.check_function(outline.document, node.start_byte, node.end_byte)
    return InsertionPoint(outline.document.next_line(node.end_byte), "", BLANK_LINES)
