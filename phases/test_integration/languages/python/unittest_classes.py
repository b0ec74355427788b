"""Converts a test's code for unittest, which collects only methods of `unittest.TestCase`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.languages.python import writing
from phases.test_integration.languages.python.function_edits import EditOptions, Edits, line_starts
from phases.test_integration.languages.python.snippet import (
    DEFINITIONS,
    Definition,
    Snippet,
    indented,
    renamed,
)

_OPENS = re.compile(rb"\s*\(")


def as_test_cases(snippet: Snippet, base: Callable[[bool], str], used_names: Collection[str]) -> Snippet:
    """Return the snippet with its test functions in a class, where it has more than functions.

    `base(is_async)` returns the class to inherit from. Raises InvalidTestCode.
    """
    classes = [node for node in snippet.tests if isinstance(node, ast.ClassDef)]
    if classes:
        snippet = Snippet.of(_with_bases(snippet, classes, base))
    lone = [node for node in snippet.tests if isinstance(node, DEFINITIONS)]
    if not lone or len(lone) == len(snippet.tree.body):
        return snippet
    return _wrapped(_named_as_tests(snippet, lone), base, used_names)


def _with_bases(snippet: Snippet, classes: list[ast.ClassDef], base: Callable[[bool], str]) -> str:
    """Add a base class to test classes without one: pytest collects them, unittest does not."""
    code = snippet.code.encode()
    starts = line_starts(code)
    edits: list[tuple[int, int, bytes]] = []
    for node in classes:
        if node.bases or node.keywords:
            continue
        asynchronous = any(isinstance(each, ast.AsyncFunctionDef) for each in node.body)
        header = starts[node.lineno - 1] + node.col_offset
        name_end = code.index(node.name.encode(), header + len(b"class")) + len(node.name.encode())
        # `class A():` has empty parentheses, which are replaced.
        close = code.index(b")", name_end) + 1 if _OPENS.match(code, name_end) else name_end
        edits.append((name_end, close, f"({base(asynchronous)})".encode()))
    return apply_edits(code, edits).decode()


def _named_as_tests(snippet: Snippet, lone: list[Definition]) -> Snippet:
    names = {each.name: f"test_security_{each.name}" for each in lone if not each.name.startswith("test")}
    return Snippet.of(renamed(snippet.code, names))


def _wrapped(snippet: Snippet, base: Callable[[bool], str], used_names: Collection[str]) -> Snippet:
    """Move test functions into a new test case; other statements stay before it."""
    lone = [node for node in snippet.tests if isinstance(node, DEFINITIONS)]
    edits = Edits(snippet.code.encode())
    for function in lone:
        edits.adjust_self(function, EditOptions(markers=(), decorators={}, adds_self=True))
    starts = line_starts(snippet.code.encode())
    alone = set(map(id, lone))
    methods: list[str] = []
    others: list[str] = []
    position = 0
    for node in snippet.tree.body:
        end = node.end_lineno or node.lineno
        stop = starts[end] if end < len(starts) else len(snippet.code.encode())
        text = edits.apply(position, stop).strip("\n") if stop > position else ""
        position = max(position, stop)
        (methods if id(node) in alone else others).append(text)
    awaits = any(isinstance(each, ast.AsyncFunctionDef) for each in lone)
    name = writing.make_unique("TestSecurity", used_names)
    body = "\n\n".join(indented(each, writing.INDENT) for each in methods)
    return Snippet.of("\n\n".join((*filter(None, others), f"class {name}({base(awaits)}):\n{body}\n")))
