"""Finds the subtests of a Go test: calls of `t.Run` directly in its body."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from phases.test_integration.languages.golang.outline import Function, Outline

SKIPPING = re.compile(r"\.(?:Skip|Skipf|SkipNow)\(")


def subtest_calls(outline: Outline, function: Function) -> Iterator[tuple[Node, Node, Node]]:
    """Yield the statement, name and function of each `t.Run("...", func...)` directly in the body."""
    body = function.body
    if body is None:
        return
    for outer in body.named_children:
        statements = outer.named_children if outer.type == "statement_list" else [outer]
        for statement in statements:
            call = statement
            if call.type == "expression_statement" and call.named_children:
                call = call.named_children[0]
            called = call.child_by_field_name("function")
            arguments = call.child_by_field_name("arguments")
            if call.type != "call_expression" or called is None or arguments is None:
                continue
            given = arguments.named_children
            if outline.text(called) == f"{function.parameter}.Run" and len(given) == 2:
                yield statement, given[0], given[1]


def subtests(outline: Outline, function: Function) -> Iterator[tuple[Node, str]]:
    for statement, name, _ in subtest_calls(outline, function):
        yield statement, outline.text(name)


def subtest_bodies(outline: Outline, function: Function) -> Iterator[tuple[Node, Node]]:
    for statement, _, literal in subtest_calls(outline, function):
        body = literal.child_by_field_name("body")
        if body is not None:
            yield statement, body


def last_subtest(outline: Outline, function: Function) -> Node | None:
    """Return the last statement of a function that only runs subtests, each on its own lines."""
    body = function.body
    # Skipped before its first subtest, so that no subtest of it runs.
    if body is None or SKIPPING.search(outline.text(body).partition(".Run(")[0]):
        return None
    statements = [node for node, _, _ in subtest_calls(outline, function)]
    if not statements or statements[-1].end_point.row >= body.end_point.row:
        return None
    return statements[-1] if statements[-1].start_point.row > body.start_point.row else None
