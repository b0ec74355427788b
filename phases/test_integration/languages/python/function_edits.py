"""Edits functions in a test's code by byte offsets; everything else stays unchanged."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from phases.test_integration.languages.python.snippet import DEFINITIONS, Definition, indented

_HEADER = re.compile(rb"(?:async\s+)?def\s+[^\s(]+\s*\(")
_SELF = re.compile(rb"\s*self\s*(?::[^,)]*)?,?\s*")


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How to change the tests; `adds_self` and `drops_self` depend on where they go."""

    markers: Sequence[str]
    decorators: Mapping[str, Sequence[str]]
    adds_self: bool = False
    drops_self: bool = False


class Edits:
    """Collects changes to code by byte offset."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        self._starts = line_starts(code)
        self._changes: list[tuple[int, int, bytes]] = []  # always sorted

    def insert_first_lines(
        self, function: Definition, comments: Sequence[str], statements: Sequence[str]
    ) -> None:
        """Insert comments before the first statement of a function, and statements after its docstring."""
        body = function.body
        first = body[0]
        second = body[1] if len(body) > 1 and is_docstring(first) and statements else first
        if first is second:
            self._before(function, first, [*comments, *statements])
        else:
            self._before(function, first, comments)
            self._before(function, second, statements)

    def adjust_self(self, function: Definition, options: EditOptions) -> None:
        """Add or remove the function's `self` parameter, as the options say."""
        header = _HEADER.match(self._code, self._offset(function.lineno, function.col_offset))
        if header is None:
            return
        arguments = function.args
        names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        has_self = names[:1] == ["self"]
        if options.adds_self and not has_self:
            rest = any((names, arguments.vararg, arguments.kwonlyargs, arguments.kwarg))
            insort(self._changes, (header.end(), header.end(), b"self, " if rest else b"self"))
        elif options.drops_self and has_self and (own := _SELF.match(self._code, header.end())):
            insort(self._changes, (header.end(), own.end(), b""))

    def decorate(self, function: Definition, decorators: Sequence[str]) -> None:
        start = self._offset(function.lineno, function.col_offset)
        text = "".join(f"@{decorator}\n{' ' * function.col_offset}" for decorator in decorators)
        insort(self._changes, (start, start, text.encode()))

    def apply(self, start: int, end: int) -> str:
        """Return the code between the offsets with its changes."""
        pieces: list[bytes] = []
        copied = start
        # `(offset,)` sorts before every change at that offset.
        first, last = (bisect_left(self._changes, (offset,)) for offset in (start, end))
        for begin, stop, text in self._changes[first:last]:
            pieces += (self._code[copied:begin], text)
            copied = stop
        return b"".join((*pieces, self._code[copied:end])).decode()

    def _before(self, function: Definition, statement: ast.stmt, lines: Sequence[str]) -> None:
        if not lines:
            return
        row = first_row(statement)
        start = self._starts[row]
        margin = self._code[start : self._offset(row + 1, statement.col_offset)]
        end = start
        if margin.strip():
            # The statement follows the header on its line.
            start, end = start + len(margin.rstrip()), start + len(margin)
            prefix = " " * (function.col_offset + 4)
            text = "\n" + "".join(f"{indented(line, prefix)}\n" for line in lines) + prefix
        else:
            text = "".join(f"{indented(line, margin.decode())}\n" for line in lines)
        insort(self._changes, (start, end, text.encode()))

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column


def first_row(node: ast.stmt) -> int:
    """Return the statement's 0-based first row, including decorators."""
    decorators = node.decorator_list if isinstance(node, (*DEFINITIONS, ast.ClassDef)) else []
    return min([node.lineno, *(each.lineno for each in decorators)]) - 1


def line_starts(code: bytes) -> list[int]:
    return [0, *(match.end() for match in re.finditer(rb"\n", code))]


def is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
