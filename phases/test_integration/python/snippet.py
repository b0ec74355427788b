"""A test's code as it came: dedented, parsed by Python itself, told apart into body and whole tests."""

from __future__ import annotations

import ast
import re
import symtable
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from tree_sitter import Node

from phases.test_integration.document import Document
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.grouped.code import with_parents
from phases.test_integration.python.layout import GRAMMAR
from phases.test_integration.syntax import rows_begun_in

Definition = ast.FunctionDef | ast.AsyncFunctionDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)
_SCOPES = (*DEFINITIONS, ast.Lambda, ast.ClassDef)
MOST_NODES = 60_000
_warnings_lock = threading.Lock()
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Snippet:
    """Code with `\\n` endings that begins in the first column."""

    code: str
    tree: ast.Module

    @classmethod
    def of(cls, code: str) -> Snippet:
        """Raises InvalidTestCode for what Python cannot parse, and for what has no statement."""
        lines = re.sub(r"\r\n?", "\n", code).split("\n")
        while lines and not lines[0].strip():
            del lines[0]
        even = _dedented("\n".join(lines).rstrip())
        try:
            snippet = cls(even, parse(even))
        except InvalidTestCode:
            mended = _with_first_line_indented(even)
            if mended is None:
                raise
            snippet = cls(mended, parse(mended))
        if not snippet.tree.body:
            raise InvalidTestCode("testCode has no statement")
        if sum(1 for _ in ast.walk(snippet.tree)) > MOST_NODES:
            raise InvalidTestCode(f"testCode is too long: its tree has more than {MOST_NODES} nodes")
        return snippet

    @cached_property
    def tests(self) -> list[ast.stmt]:
        """The top-level statements that are whole tests, or classes of them; none where this is a body."""
        named: list[ast.stmt] = [node for node in self.tree.body if _is_test(node)]
        if named or not all(isinstance(node, (*_SCOPES, *IMPORTS)) for node in self.tree.body):
            return named
        # Nothing but definitions would test nothing as a body: the last function is the test.
        functions: list[ast.stmt] = [node for node in self.tree.body if isinstance(node, DEFINITIONS)]
        return functions[-1:]

    @cached_property
    def free_names(self) -> dict[str, int]:
        """Names that are read and bound nowhere in the code, each with its first line, in order."""
        header = "async def _():\n" if self.awaits else "def _():\n"
        text = self.code if self.tests else header + indented(self.code, "    ")
        table = _guarded(lambda: symtable.symtable(text, "<testCode>", "exec"))
        bound = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
        bound |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
        unbound = {
            symbol.get_name()
            for scope in _scopes(table)
            for symbol in scope.get_symbols()
            if symbol.is_global() and symbol.is_referenced() and symbol.get_name() not in bound
        }
        unbound |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and symbol.get_name() not in bound
        }
        found: dict[str, int] = {}
        for name in names_in([self.tree]):
            if name.id in unbound:
                found[name.id] = min(name.lineno, found.get(name.id, name.lineno))
        return dict(sorted(found.items(), key=lambda item: item[1]))

    @cached_property
    def awaits(self) -> bool:
        """Whether the body, not a function in it, awaits."""
        return any(
            isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
            or (isinstance(node, ast.comprehension) and node.is_async)
            for node in _same_scope(self.tree)
        )

    @cached_property
    def self_attributes(self) -> frozenset[str]:
        """What the code reads from `self`."""
        return frozenset(
            node.attr
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        )


def parse(code: str) -> ast.Module:
    """Python's own tree.

    Raises InvalidTestCode, for what is no Python and for what is too complex.
    """
    return _guarded(lambda: ast.parse(code))


def check(code: str) -> None:
    """Compiles the code, which finds what parsing does not: `return` or `await` out of place.

    Raises InvalidTestCode.
    """
    _guarded(lambda: compile(code, "<testCode>", "exec", dont_inherit=True))


def indented(code: str, prefix: str) -> str:
    """The code with every line moved right, but for empty ones and those that begin within a string."""
    protected = rows_in_strings(code)
    return "\n".join(
        line if row in protected or not line.strip() else prefix + line
        for row, line in enumerate(code.split("\n"))
    )


def rows_in_strings(code: str) -> set[int]:
    """0-based rows whose first character is inside a string literal."""
    if not re.search(r"\"\"\"|'''|\\\n", code):
        return set()
    strings: list[Node] = []
    stack = [GRAMMAR.parse(Document(code.encode())).root_node]
    while stack:
        node = stack.pop()
        if node.type == "string":
            strings.append(node)
        else:
            stack.extend(reversed(node.children))
    return rows_begun_in(strings)


def renamed(code: str, names: dict[str, str]) -> str:
    """The code with these variables, functions and parameters renamed; attributes and keywords stay."""
    if not names:
        return code
    source = code.encode()
    pieces: list[bytes] = []
    taken = 0
    for node, parent, _ in with_parents(GRAMMAR.parse(Document(source)).root_node):
        if (
            node.type != "identifier"
            or (name := source[node.start_byte : node.end_byte].decode()) not in names
        ):
            continue
        if parent is not None and (
            (parent.type == "attribute" and parent.child_by_field_name("attribute") == node)
            or (parent.type == "keyword_argument" and parent.child_by_field_name("name") == node)
        ):
            continue
        pieces += (source[taken : node.start_byte], names[name].encode())
        taken = node.end_byte
    return b"".join((*pieces, source[taken:])).decode()


def names_in(nodes: Iterable[ast.AST]) -> Iterator[ast.Name]:
    for root in nodes:
        for node in ast.walk(root):
            if isinstance(node, ast.Name):
                yield node


def _is_test(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(isinstance(inner, DEFINITIONS) and inner.name.startswith("test") for inner in node.body)
    return isinstance(node, DEFINITIONS) and node.name.startswith("test")


def _guarded(work: Callable[[], _Result]) -> _Result:
    """What Python's compiler says, without its warnings, which are about somebody else's code."""
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except SyntaxError as error:
        raise InvalidTestCode(f"testCode is not valid Python: {error.msg} (line {error.lineno})") from None
    except (ValueError, RecursionError, MemoryError):
        raise InvalidTestCode("testCode is too complex to be a test") from None


def _dedented(code: str) -> str:
    first = re.match(r"[ \t]*", code)
    prefix = first[0] if first else ""
    if not prefix:
        return code
    protected = {row - 1 for row in rows_in_strings("if 1:\n" + code)}
    return "\n".join(
        line if row in protected else line.removeprefix(prefix) if line.startswith(prefix) else line.lstrip()
        for row, line in enumerate(code.split("\n"))
    )


def _with_first_line_indented(code: str) -> str | None:
    """A body that lost the white space before its first line, as by `strip()`, made even again."""
    first, newline, rest = code.partition("\n")
    margins = [line[: len(line) - len(line.lstrip())] for line in rest.split("\n") if line.strip()]
    margin = min(margins, key=len, default="")
    if not newline or not margin or first.rstrip().endswith(":"):
        return None
    return _dedented(margin + code)


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    stack = [table]
    while stack:
        scope = stack.pop()
        if scope is not table:
            yield scope
        stack.extend(scope.get_children())


def _same_scope(tree: ast.Module) -> Iterator[ast.AST]:
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _SCOPES):
            stack.extend(ast.iter_child_nodes(node))
