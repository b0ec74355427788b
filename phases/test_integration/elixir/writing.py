"""Writes Elixir: a test around a body, marks in whole tests, a describe or a module around tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from tree_sitter import Node

from phases.test_integration.document import edited
from phases.test_integration.elixir.layout import TESTS, arguments_of, block_of, call_name, title_of
from phases.test_integration.elixir.snippet import (
    MODULE,
    UNIT,
    WHOLE,
    ElixirSnippet,
    calls_within,
    string_rows,
)
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.grouped.code import indented
from phases.test_integration.red_tests import RedTest
from phases.test_integration.taken import Taken

_LONGEST_TITLE = 120  # a test's name and its describe's together make an atom of at most 255 characters


def title(red_test: RedTest) -> str:
    """The test's name as the inside of a string: nothing in it is code."""
    name = " ".join(red_test.name.split())[:_LONGEST_TITLE]
    text = name if "security" in name.lower() else f"security: {name}"
    return "".join(map(_escaped, text))


def unique_title(wanted: str, taken: Iterable[str]) -> str:
    return Taken(taken, " ").take(wanted)


def test(name: str, keys: Mapping[str, str], marks: Sequence[str], snippet: ElixirSnippet) -> str:
    """`keys` are what it takes from its context."""
    whole = [variable for variable, key in keys.items() if not key]
    pairs = ", ".join(f"{key}: {variable}" for variable, key in keys.items() if key)
    parts = [*([f"%{{{pairs}}}"] if pairs else []), *whole]
    context = f", {' = '.join(parts)}" if parts else ""
    body = indented(snippet.code, UNIT, snippet.protected)
    return "\n".join((f'test "{name}"{context} do', *(UNIT + mark for mark in marks), body, "end"))


def whole(
    snippet: ElixirSnippet, taken: Collection[str], functions: Collection[str], marks: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The snippet's tests with marks in each; and the names that then stand in their group.

    Raises InvalidTestCode.
    """
    edits: list[tuple[int, int, str]] = []
    for node in calls_within(snippet.root, TESTS):
        block = block_of(node)
        margin = " " * node.start_point.column
        if block is None:
            start = node.start_byte - snippet.offset
            edits.append((start, start, "".join(f"{mark}\n{margin}" for mark in marks)))
            continue
        lines = "".join(f"\n{margin}{UNIT}{line}" for line in (*marks, *snippet.lexical))
        start = block.start_byte + 2 - snippet.offset
        edits.append((start, start, lines))
    names: list[str] = []
    standing = Taken(taken, " ")
    for node in snippet.statements if snippet.kind == WHOLE else ():
        name = call_name(node)
        if name in ("def", "defp"):
            _refuse_taken(node, functions)
        elif name in (*TESTS, "describe"):
            prefix = "describe " if name == "describe" else ""
            new = standing.take(prefix + title_of(node))
            names.append(new)
            if new != prefix + title_of(node):
                start = arguments_of(node)[0].start_byte + 1 - snippet.offset
                end = arguments_of(node)[0].end_byte - 1 - snippet.offset
                edits.append((start, end, new.removeprefix(prefix)))
    content = edited(snippet.code.encode(), ((start, end, text.encode()) for start, end, text in edits))
    return content.decode(), tuple(names)


def describe(name: str, tests: str) -> str:
    return f'describe "{name}" do\n{indented(tests, UNIT, string_rows(tests, WHOLE))}\nend'


def module(name: str, uses: str, tests: str) -> str:
    inner = indented(tests, UNIT, string_rows(tests, WHOLE))
    return f"defmodule {name} do\n{UNIT}{uses}\n\n{inner}\nend"


def renamed_module(code: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w.])", new, code) if old != new else code


def rows(text: str, *, is_module: bool) -> set[int]:
    return string_rows(text, MODULE if is_module else WHOLE)


def _refuse_taken(node: Node, functions: Collection[str]) -> None:
    for argument in arguments_of(node)[:1]:
        found = re.match(r"\w+[?!]?", (argument.text or b"").decode())
        if found and found[0] in functions:
            raise InvalidTestCode(f"testCode defines {found[0]}, which the module has already")


def _escaped(char: str) -> str:
    if char in '"\\#':
        return "\\" + char
    if char.isprintable():
        return char
    return "?" if "\ud800" <= char <= "\udfff" or char == "\0" else f"\\u{{{ord(char):x}}}"
