"""A red test's Python code, dedented, parsed and classified: a body, or complete tests."""

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

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.python.outline import GRAMMAR
from phases.test_integration.languages.shared.code import walk_with_parents
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import rows_starting_in

Definition = ast.FunctionDef | ast.AsyncFunctionDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)
_SCOPES = (*DEFINITIONS, ast.Lambda, ast.ClassDef)
MAX_NODES = 60_000
_warnings_lock = threading.Lock()
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Snippet:
    """Code with `\\n` endings and without common indentation."""

    code: str
    tree: ast.Module

    @classmethod
    def of(cls, code: str) -> Snippet:
        """Raises InvalidTestCode for code that is not valid Python, or has no statement."""
        lines = re.sub(r"\r\n?", "\n", code).split("\n")
        while lines and not lines[0].strip():
            del lines[0]
        normalized = _dedented("\n".join(lines).rstrip())
        try:
            snippet = cls(normalized, parse(normalized))
        except InvalidTestCode:
            reindented = _with_first_line_indented(normalized)
            if reindented is None:
                raise
            snippet = cls(reindented, parse(reindented))
        if not snippet.tree.body:
            raise InvalidTestCode("testCode has no statement")
        if sum(1 for _ in ast.walk(snippet.tree)) > MAX_NODES:
            raise InvalidTestCode(f"testCode is too long: its tree has more than {MAX_NODES} nodes")
        return snippet

    @cached_property
    def tests(self) -> list[ast.stmt]:
        """Return the top-level tests and classes of tests; none where the code is a body."""
        named: list[ast.stmt] = [node for node in self.tree.body if _is_test(node)]
        if named or not all(isinstance(node, (*_SCOPES, *IMPORTS)) for node in self.tree.body):
            return named
        # A body of definitions alone would test nothing: the last function is the test.
        functions: list[ast.stmt] = [node for node in self.tree.body if isinstance(node, DEFINITIONS)]
        return functions[-1:]

    @cached_property
    def free_names(self) -> dict[str, int]:
        """Map names that are read and bound nowhere in the code to their first line, in order."""
        header = "async def _():\n" if self.awaits else "def _():\n"
        # A body is compiled as a function's, so that its names are local.
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
        """Return whether the body itself awaits, not a function in it."""
        return any(
            isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
            or (isinstance(node, ast.comprehension) and node.is_async)
            for node in _same_scope(self.tree)
        )

    @cached_property
    def self_attributes(self) -> frozenset[str]:
        """Return the attributes that the code reads from `self`."""
        return frozenset(
            node.attr
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        )


def parse(code: str) -> ast.Module:
    """Parse with Python's own parser.

    Raises InvalidTestCode for code that is not valid Python or is too complex.
    """
    return _guarded(lambda: ast.parse(code))


def check(code: str) -> None:
    """Compile the code, which finds errors that parsing does not: a misplaced `return` or `await`.

    Raises InvalidTestCode.
    """
    _guarded(lambda: compile(code, "<testCode>", "exec", dont_inherit=True))


def indented(code: str, prefix: str) -> str:
    """Return the code indented by `prefix`, without blank lines and lines that start inside a string."""
    protected = rows_in_strings(code)
    return "\n".join(
        line if row in protected or not line.strip() else prefix + line
        for row, line in enumerate(code.split("\n"))
    )


def rows_in_strings(code: str) -> set[int]:
    """Return the 0-based rows that start inside a string literal."""
    # Only such strings span rows.
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
    return rows_starting_in(strings)


def renamed(code: str, names: dict[str, str]) -> str:
    """Return the code with these names renamed; attributes and keyword arguments stay."""
    if not names:
        return code
    source = code.encode()
    pieces: list[bytes] = []
    copied = 0
    for node, parent, _ in walk_with_parents(GRAMMAR.parse(Document(source)).root_node):
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
        pieces += (source[copied : node.start_byte], names[name].encode())
        copied = node.end_byte
    return b"".join((*pieces, source[copied:])).decode()


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
    """Run Python's compiler without its warnings, and raise InvalidTestCode for its errors."""
    try:
        # catch_warnings changes the filters of the whole process, so only one thread may be inside.
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
    # Indented code alone is not valid: `if 1:` makes it so, in one more row.
    protected = {row - 1 for row in rows_in_strings("if 1:\n" + code)}
    return "\n".join(
        line if row in protected else line.removeprefix(prefix) if line.startswith(prefix) else line.lstrip()
        for row, line in enumerate(code.split("\n"))
    )


def _with_first_line_indented(code: str) -> str | None:
    """Return a body whose first line alone lost its indentation, as by `strip()`, made consistent."""
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
