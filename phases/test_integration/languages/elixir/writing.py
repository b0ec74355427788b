"""Renders Elixir: a test around a body, markers in complete tests, a describe or module around tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from tree_sitter import Node

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.elixir.outline import (
    TESTS,
    arguments_of,
    block_of,
    call_name,
    title_of,
)
from phases.test_integration.languages.elixir.snippet import (
    COMPLETE,
    MODULE,
    UNIT,
    ElixirSnippet,
    calls_within,
    string_rows,
)
from phases.test_integration.languages.shared.code import indented
from phases.test_integration.plan.used_names import UsedNames
from phases.test_integration.read.red_tests import RedTest

_MAX_TITLE_LENGTH = 120  # a test's name and its describe's together become an atom of at most 255 characters


def title(red_test: RedTest) -> str:
    """Return the test's name escaped for a string: nothing in it is evaluated."""
    name = " ".join(red_test.name.split())[:_MAX_TITLE_LENGTH]
    text = name if "security" in name.lower() else f"security: {name}"
    return "".join(map(_escaped, text))


def make_unique_title(wanted: str, used_names: Iterable[str]) -> str:
    return UsedNames(used_names, " ").reserve(wanted)


def test(name: str, keys: Mapping[str, str], markers: Sequence[str], snippet: ElixirSnippet) -> str:
    """Return a test with this body; `keys` maps its variables to the context keys that it matches."""
    unkeyed = [variable for variable, key in keys.items() if not key]
    pairs = ", ".join(f"{key}: {variable}" for variable, key in keys.items() if key)
    parts = [*([f"%{{{pairs}}}"] if pairs else []), *unkeyed]
    context = f", {' = '.join(parts)}" if parts else ""
    body = indented(snippet.code, UNIT, snippet.protected)
    return "\n".join((f'test "{name}"{context} do', *(UNIT + marker for marker in markers), body, "end"))


def complete_tests(
    snippet: ElixirSnippet, used_names: Collection[str], functions: Collection[str], markers: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the snippet's tests with markers in each, and the names that they define in their group.

    Raises InvalidTestCode.
    """
    edits: list[tuple[int, int, str]] = []
    for node in calls_within(snippet.root, TESTS):
        block = block_of(node)
        margin = " " * node.start_point.column
        if block is None:
            start = node.start_byte - snippet.offset
            edits.append((start, start, "".join(f"{marker}\n{margin}" for marker in markers)))
            continue
        lines = "".join(f"\n{margin}{UNIT}{line}" for line in (*markers, *snippet.lexical))
        # After `do`.
        start = block.start_byte + 2 - snippet.offset
        edits.append((start, start, lines))
    names: list[str] = []
    reserved = UsedNames(used_names, " ")
    for node in snippet.statements if snippet.kind == COMPLETE else ():
        name = call_name(node)
        if name in ("def", "defp"):
            _reject_taken(node, functions)
        elif name in (*TESTS, "describe"):
            prefix = "describe " if name == "describe" else ""
            new = reserved.reserve(prefix + title_of(node))
            names.append(new)
            if new != prefix + title_of(node):
                start = arguments_of(node)[0].start_byte + 1 - snippet.offset
                end = arguments_of(node)[0].end_byte - 1 - snippet.offset
                edits.append((start, end, new.removeprefix(prefix)))
    content = apply_edits(snippet.code.encode(), ((start, end, text.encode()) for start, end, text in edits))
    return content.decode(), tuple(names)


def describe(name: str, tests: str) -> str:
    return f'describe "{name}" do\n{indented(tests, UNIT, string_rows(tests, COMPLETE))}\nend'


def module(name: str, uses: str, tests: str) -> str:
    inner = indented(tests, UNIT, string_rows(tests, COMPLETE))
    return f"defmodule {name} do\n{UNIT}{uses}\n\n{inner}\nend"


def renamed_module(code: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w.])", new, code) if old != new else code


def rows(text: str, *, is_module: bool) -> set[int]:
    return string_rows(text, MODULE if is_module else COMPLETE)


def _reject_taken(node: Node, functions: Collection[str]) -> None:
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
