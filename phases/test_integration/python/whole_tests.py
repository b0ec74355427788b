"""A test that came as whole functions or classes, with what stands around them, made fit for a file.

What could fail when the file is imported would take the old tests down with it. So imports of anything but
the standard library, and statements that do more than name a value, move into the functions that need them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.insertion import Notice
from phases.test_integration.python.edits import Edits, Style, first_row, is_docstring, line_starts
from phases.test_integration.python.snippet import (
    DEFINITIONS,
    IMPORTS,
    Definition,
    Snippet,
    names_in,
)

# A module that has these changes how all of its tests run.
_HOOKS = re.compile(
    r"pytestmark|pytest_\w+|collect_ignore\w*|__test__|load_tests|set[uU]p(?:_?[mM]odule|_function)?"
    r"|setup_module|tear_?[dD]own(?:_?[mM]odule|_function)?"
)
_SAFE_ROOTS = sys.stdlib_module_names | {"pytest"}
_COMMENT = re.compile(rb"[ \t]*#[^\n]*")


@dataclass(frozen=True, slots=True)
class Piece:
    """One top-level statement with the comments before it; its bytes in the code."""

    node: ast.stmt
    start: int
    end: int


@dataclass(slots=True)
class WholeTests:
    """`block` is what goes where tests go; `imports` go where the file imports."""

    block: str
    imports: list[str]
    names: tuple[str, ...]
    notices: list[Notice] = field(default_factory=list)


def fit(snippet: Snippet, style: Style, origins: Mapping[str, str]) -> WholeTests:
    """The snippet's tests with all they need. `origins` tells what the file's own imports bind.

    Raises InvalidTestCode for code that would change how the file's other tests run.
    """
    code = snippet.code.encode()
    imports: list[str] = []
    kept: list[Piece] = []
    moved: list[Piece] = []
    for piece in _pieces(snippet):
        node = piece.node
        _refuse_hooks(node)
        if _is_dropped(node):
            continue
        if isinstance(node, IMPORTS):
            if not _is_safe(node, origins):
                moved.append(piece)
            elif not _is_bound(node, origins):
                imports.append(ast.unparse(node))
        elif isinstance(node, (*DEFINITIONS, ast.ClassDef)) or _is_literal(node):
            kept.append(piece)
        else:
            moved.append(piece)
    at_import = _needed(moved, _names_at_import([piece.node for piece in kept]))
    edits = Edits(code)
    for piece in kept:
        for function in _functions(piece.node):
            is_test = function.name.startswith("test") or function in snippet.tests
            needed = [
                each
                for each in _needed(moved, {name.id for name in names_in([function])}, with_effects=is_test)
                if each not in at_import
            ]
            edits.first_lines(
                function, style.marks if is_test else (), [_text(code, each) for each in needed]
            )
            if is_test and isinstance(piece.node, DEFINITIONS):
                edits.change_self(function, style)
            if is_test:
                edits.decorate(function, style.decorators.get(function.name, ()))
    ordered = sorted((*at_import, *kept), key=lambda piece: piece.start)
    blocks = [edits.applied(piece.start, piece.end).strip("\n") for piece in ordered]
    return WholeTests(
        block=_joined(blocks, ordered),
        imports=imports,
        names=tuple(
            piece.node.name for piece in ordered if isinstance(piece.node, (*DEFINITIONS, ast.ClassDef))
        ),
        notices=[_runs_at_import(_text(code, piece)) for piece in at_import],
    )


def bound_names(snippet: Snippet) -> set[str]:
    """What the snippet would bind in the file besides imports."""
    bound: set[str] = set()
    for node in snippet.tree.body:
        if isinstance(node, (*DEFINITIONS, ast.ClassDef)):
            bound.add(node.name)
        elif not isinstance(node, IMPORTS) and _is_literal(node):
            bound |= _stored(node)
    return bound


def methods_of(snippet: Snippet) -> tuple[str, str] | None:
    """The name of the snippet's only class and the code of its methods, where it has nothing else."""
    (only, *others) = snippet.tree.body
    if others or not isinstance(only, ast.ClassDef) or only.decorator_list:
        return None
    if not all(isinstance(node, DEFINITIONS) and node.name.startswith("test") for node in only.body):
        return None
    lines = snippet.code.split("\n")
    first = only.body[0]
    row = first_row(first)
    return (only.name, "\n".join(lines[row:])) if row >= only.lineno else None


def _pieces(snippet: Snippet) -> list[Piece]:
    """The top-level statements; those that share a line are told apart by their columns."""
    code = snippet.code.encode()
    starts = line_starts(code)
    pieces: list[Piece] = []
    position = 0
    for node in snippet.tree.body:
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        if comment := _COMMENT.match(code, end):
            end = comment.end()
        pieces.append(Piece(node, position, end))
        position = end + len(code[end:]) - len(code[end:].lstrip(b" \t;\n"))
    return pieces


def _text(code: bytes, piece: Piece) -> str:
    return code[piece.start : piece.end].decode().strip("\n")


def _refuse_hooks(node: ast.stmt) -> None:
    names = _stored(node) | ({node.name} if isinstance(node, (*DEFINITIONS, ast.ClassDef)) else set())
    hooks = sorted(name for name in names if _HOOKS.fullmatch(name))
    if hooks:
        raise InvalidTestCode(f"testCode has {hooks[0]}, which would change how the file's own tests run")
    if isinstance(node, DEFINITIONS) and any("autouse" in ast.unparse(each) for each in node.decorator_list):
        raise InvalidTestCode("testCode has an autouse fixture, which would run for the file's own tests")
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        raise InvalidTestCode("testCode imports everything of a module: name what the test needs")


def _is_dropped(node: ast.stmt) -> bool:
    """A docstring of its own, a `__main__` block, and `__future__`, which only a file's top may import."""
    if isinstance(node, ast.If):
        return any(name.id == "__name__" for name in names_in([node.test]))
    return is_docstring(node) or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _origins(node: ast.stmt) -> dict[str, str]:
    """What an import binds, as `Layout.origins` has it."""
    if isinstance(node, ast.Import):
        return {each.asname or each.name.partition(".")[0]: each.name for each in node.names}
    if isinstance(node, ast.ImportFrom):
        prefix = "." * node.level + (node.module or "") + "."
        return {each.asname or each.name: prefix + each.name for each in node.names}
    return {}


def _is_bound(node: ast.stmt, origins: Mapping[str, str]) -> bool:
    return all(origins.get(name) == origin for name, origin in _origins(node).items())


def _is_safe(node: ast.stmt, origins: Mapping[str, str]) -> bool:
    """Whether the import cannot fail, and takes no name that the file uses for something else."""
    if any(origins.get(name, origin) != origin for name, origin in _origins(node).items()):
        return False
    modules = {origin.partition(".")[0] for origin in _origins(node).values()}
    return modules <= _SAFE_ROOTS or _is_bound(node, origins)


def _is_literal(node: ast.stmt) -> bool:
    """A name for a value that no code is run for."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _stored(node: ast.AST) -> set[str]:
    return {name.id for name in names_in([node]) if isinstance(name.ctx, ast.Store)}


def _functions(node: ast.stmt) -> list[Definition]:
    if isinstance(node, ast.ClassDef):
        return [inner for inner in node.body if isinstance(inner, DEFINITIONS)]
    return [node] if isinstance(node, DEFINITIONS) else []


def _needed(moved: Sequence[Piece], names: set[str], *, with_effects: bool = False) -> list[Piece]:
    """Those of the statements that bind the names, or what they need in turn, in order."""
    wanted = set(names)
    needed: list[Piece] = []
    for piece in reversed(moved):
        binds = _stored(piece.node) | set(_origins(piece.node))
        if binds & wanted or (with_effects and not binds):
            needed.append(piece)
            wanted |= {name.id for name in names_in([piece.node])}
    return needed[::-1]


def _names_at_import(nodes: Iterable[ast.stmt]) -> set[str]:
    """Names that are read when definitions are executed: decorators, defaults, annotations, bases."""
    roots: list[ast.AST] = []
    for node in nodes:
        if isinstance(node, DEFINITIONS):
            roots += [*node.decorator_list, node.args, *filter(None, [node.returns])]
        elif isinstance(node, ast.ClassDef):
            roots += [*node.decorator_list, *node.bases, *node.keywords]
            for inner in node.body:
                roots += [*inner.decorator_list, inner.args] if isinstance(inner, DEFINITIONS) else [inner]
    return {name.id for name in names_in(roots)}


def _joined(blocks: Sequence[str], pieces: Sequence[Piece]) -> str:
    """Definitions with two empty lines between, other statements with none."""
    text = blocks[0] if blocks else ""
    for block, before, piece in zip(blocks[1:], pieces, pieces[1:], strict=False):
        is_apart = any(isinstance(each.node, (*DEFINITIONS, ast.ClassDef)) for each in (before, piece))
        text += ("\n\n\n" if is_apart else "\n") + block
    return text


def _runs_at_import(text: str) -> Notice:
    first = text.strip().partition("\n")[0][:100]
    return Notice("runs_at_collection", f"runs whenever the file is collected, and could fail then: {first}")
