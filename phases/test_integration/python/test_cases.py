"""A test's code made fit for unittest, which collects nothing but methods of `unittest.TestCase`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection

from phases.test_integration.document import edited
from phases.test_integration.python import writing
from phases.test_integration.python.edits import Edits, Style, line_starts
from phases.test_integration.python.snippet import DEFINITIONS, Definition, Snippet, indented, renamed

_OPENS = re.compile(rb"\s*\(")


def as_test_cases(snippet: Snippet, base: Callable[[bool], str], taken: Collection[str]) -> Snippet:
    """The snippet, its lone test functions in a class where it has more than these.

    `base` gives the class to inherit from, for tests that await and for those that do not.
    Raises InvalidTestCode.
    """
    classes = [node for node in snippet.tests if isinstance(node, ast.ClassDef)]
    if classes:
        snippet = Snippet.of(_with_bases(snippet, classes, base))
    lone = [node for node in snippet.tests if isinstance(node, DEFINITIONS)]
    if not lone or len(lone) == len(snippet.tree.body):
        return snippet
    return _wrapped(_named_as_tests(snippet, lone), base, taken)


def _with_bases(snippet: Snippet, classes: list[ast.ClassDef], base: Callable[[bool], str]) -> str:
    """Classes of tests without a base get one: pytest would collect them as they are, unittest not."""
    code = snippet.code.encode()
    starts = line_starts(code)
    edits: list[tuple[int, int, bytes]] = []
    for node in classes:
        if node.bases or node.keywords:
            continue
        asynchronous = any(isinstance(each, ast.AsyncFunctionDef) for each in node.body)
        header = starts[node.lineno - 1] + node.col_offset
        name_end = code.index(node.name.encode(), header + len(b"class")) + len(node.name.encode())
        close = code.index(b")", name_end) + 1 if _OPENS.match(code, name_end) else name_end
        edits.append((name_end, close, f"({base(asynchronous)})".encode()))
    return edited(code, edits).decode()


def _named_as_tests(snippet: Snippet, lone: list[Definition]) -> Snippet:
    names = {each.name: f"test_security_{each.name}" for each in lone if not each.name.startswith("test")}
    return Snippet.of(renamed(snippet.code, names))


def _wrapped(snippet: Snippet, base: Callable[[bool], str], taken: Collection[str]) -> Snippet:
    lone = [node for node in snippet.tests if isinstance(node, DEFINITIONS)]
    edits = Edits(snippet.code.encode())
    for function in lone:
        edits.change_self(function, Style(marks=(), decorators={}, adds_self=True))
    starts = line_starts(snippet.code.encode())
    alone = set(map(id, lone))
    methods: list[str] = []
    others: list[str] = []
    position = 0
    for node in snippet.tree.body:
        end = node.end_lineno or node.lineno
        stop = starts[end] if end < len(starts) else len(snippet.code.encode())
        text = edits.applied(position, stop).strip("\n") if stop > position else ""
        position = max(position, stop)
        (methods if id(node) in alone else others).append(text)
    awaits = any(isinstance(each, ast.AsyncFunctionDef) for each in lone)
    name = writing.unique("TestSecurity", taken)
    body = "\n\n".join(indented(each, writing.INDENT) for each in methods)
    return Snippet.of("\n\n".join((*filter(None, others), f"class {name}({base(awaits)}):\n{body}\n")))
