"""Fits complete test functions or classes, with the statements around them, into a file.

An error at import time would stop the file's old tests as well. So imports outside the standard library,
and statements that do more than assign a literal, move into the functions that need them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.python.function_edits import (
    EditOptions,
    Edits,
    first_row,
    is_docstring,
    line_starts,
)
from phases.test_integration.languages.python.snippet import (
    DEFINITIONS,
    IMPORTS,
    Definition,
    Snippet,
    names_in,
)
from phases.test_integration.plan.protocols import InsertionWarning

# A module with one of these names changes how all of its tests run.
_HOOKS = re.compile(
    r"pytestmark|pytest_\w+|collect_ignore\w*|__test__|load_tests|set[uU]p(?:_?[mM]odule|_function)?"
    r"|setup_module|tear_?[dD]own(?:_?[mM]odule|_function)?"
)
_SAFE_ROOTS = sys.stdlib_module_names | {"pytest"}
_COMMENT = re.compile(rb"[ \t]*#[^\n]*")
_SEPARATORS = re.compile(rb"[ \t;\n]*+")


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement with the comments before it, and its byte range in the code."""

    node: ast.stmt
    start: int
    end: int


@dataclass(slots=True)
class CompleteTests:
    """`block` goes where tests go, `imports` where the file imports; `names` are defined by the block."""

    block: str
    imports: list[str]
    names: tuple[str, ...]
    warnings: list[InsertionWarning] = field(default_factory=list)


def fit(snippet: Snippet, options: EditOptions, origins: Mapping[str, str]) -> CompleteTests:
    """Return the snippet's tests with all they need. `origins` maps the file's imports to their source.

    Raises InvalidTestCode for code that would change how the file's other tests run.
    """
    code = snippet.code.encode()
    imports: list[str] = []
    kept: list[Statement] = []
    moved: list[Statement] = []
    for statement in _split_statements(snippet):
        node = statement.node
        _reject_hooks(node)
        if _is_dropped(node):
            continue
        if isinstance(node, IMPORTS):
            if not _is_safe(node, origins):
                moved.append(statement)
            elif not _is_bound(node, origins):
                imports.append(ast.unparse(node))
        elif isinstance(node, (*DEFINITIONS, ast.ClassDef)) or _is_literal(node):
            kept.append(statement)
        else:
            moved.append(statement)
    # Decorators, defaults and bases run with the definition: what they read cannot move into a test.
    at_import = _needed(moved, _names_at_import([statement.node for statement in kept]))
    edits = Edits(code)
    for statement in kept:
        for function in _functions(statement.node):
            is_test = function.name.startswith("test") or function in snippet.tests
            needed = [
                each
                for each in _needed(moved, {name.id for name in names_in([function])}, with_effects=is_test)
                if each not in at_import
            ]
            edits.insert_first_lines(
                function, options.markers if is_test else (), [_text(code, each) for each in needed]
            )
            if is_test and isinstance(statement.node, DEFINITIONS):
                edits.adjust_self(function, options)
            if is_test:
                edits.decorate(function, options.decorators.get(function.name, ()))
    ordered = sorted((*at_import, *kept), key=lambda statement: statement.start)
    blocks = [edits.apply(statement.start, statement.end).strip("\n") for statement in ordered]
    return CompleteTests(
        block=_joined(blocks, ordered),
        imports=imports,
        names=tuple(
            statement.node.name
            for statement in ordered
            if isinstance(statement.node, (*DEFINITIONS, ast.ClassDef))
        ),
        warnings=[_runs_at_import(_text(code, statement)) for statement in at_import],
    )


def bound_names(snippet: Snippet) -> set[str]:
    """Return the names that the snippet would bind in the file, without imports."""
    bound: set[str] = set()
    for node in snippet.tree.body:
        if isinstance(node, (*DEFINITIONS, ast.ClassDef)):
            bound.add(node.name)
        elif not isinstance(node, IMPORTS) and _is_literal(node):
            bound |= _stored(node)
    return bound


def methods_of(snippet: Snippet) -> tuple[str, str] | None:
    """Return the name of the snippet's only class and the code of its methods, None where there is more."""
    (only, *others) = snippet.tree.body
    if others or not isinstance(only, ast.ClassDef) or only.decorator_list:
        return None
    if not all(isinstance(node, DEFINITIONS) and node.name.startswith("test") for node in only.body):
        return None
    lines = snippet.code.split("\n")
    first = only.body[0]
    row = first_row(first)
    return (only.name, "\n".join(lines[row:])) if row >= only.lineno else None


def _split_statements(snippet: Snippet) -> list[Statement]:
    """Return the top-level statements; those that share a line are separated by their columns."""
    code = snippet.code.encode()
    starts = line_starts(code)
    statements: list[Statement] = []
    position = 0
    for node in snippet.tree.body:
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        if comment := _COMMENT.match(code, end):
            end = comment.end()
        statements.append(Statement(node, position, end))
        after = _SEPARATORS.match(code, end)
        position = after.end() if after else end
    return statements


def _text(code: bytes, statement: Statement) -> str:
    return code[statement.start : statement.end].decode().strip("\n")


def _reject_hooks(node: ast.stmt) -> None:
    names = _stored(node) | ({node.name} if isinstance(node, (*DEFINITIONS, ast.ClassDef)) else set())
    hooks = sorted(name for name in names if _HOOKS.fullmatch(name))
    if hooks:
        raise InvalidTestCode(f"testCode has {hooks[0]}, which would change how the file's own tests run")
    if isinstance(node, DEFINITIONS) and any("autouse" in ast.unparse(each) for each in node.decorator_list):
        raise InvalidTestCode("testCode has an autouse fixture, which would run for the file's own tests")
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        raise InvalidTestCode("testCode imports everything of a module: name what the test needs")


def _is_dropped(node: ast.stmt) -> bool:
    """Return whether it is a docstring, a `__main__` block, or a `__future__` import."""
    if isinstance(node, ast.If):
        return any(name.id == "__name__" for name in names_in([node.test]))
    return is_docstring(node) or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _origins(node: ast.stmt) -> dict[str, str]:
    """Return what an import binds, in the form of `Outline.origins`."""
    if isinstance(node, ast.Import):
        return {each.asname or each.name.partition(".")[0]: each.name for each in node.names}
    if isinstance(node, ast.ImportFrom):
        prefix = "." * node.level + (node.module or "") + "."
        return {each.asname or each.name: prefix + each.name for each in node.names}
    return {}


def _is_bound(node: ast.stmt, origins: Mapping[str, str]) -> bool:
    return all(origins.get(name) == origin for name, origin in _origins(node).items())


def _is_safe(node: ast.stmt, origins: Mapping[str, str]) -> bool:
    """Return whether the import cannot fail, and rebinds no name of the file."""
    if any(origins.get(name, origin) != origin for name, origin in _origins(node).items()):
        return False
    modules = {origin.partition(".")[0] for origin in _origins(node).values()}
    return modules <= _SAFE_ROOTS or _is_bound(node, origins)


def _is_literal(node: ast.stmt) -> bool:
    """Return whether it assigns a literal to a name."""
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


def _needed(moved: Sequence[Statement], names: set[str], *, with_effects: bool = False) -> list[Statement]:
    """Return the statements that bind the names, and those that they need in turn, in order."""
    wanted = set(names)
    needed: list[Statement] = []
    # Backwards: what a needed statement needs in turn stands above it.
    for statement in reversed(moved):
        binds = _stored(statement.node) | set(_origins(statement.node))
        # A statement that binds nothing is there for its effect.
        if binds & wanted or (with_effects and not binds):
            needed.append(statement)
            wanted |= {name.id for name in names_in([statement.node])}
    return needed[::-1]


def _names_at_import(nodes: Iterable[ast.stmt]) -> set[str]:
    """Return names that are read when definitions are executed: decorators, defaults, annotations, bases."""
    roots: list[ast.AST] = []
    for node in nodes:
        if isinstance(node, DEFINITIONS):
            roots += [*node.decorator_list, node.args, *filter(None, [node.returns])]
        elif isinstance(node, ast.ClassDef):
            roots += [*node.decorator_list, *node.bases, *node.keywords]
            for inner in node.body:
                roots += [*inner.decorator_list, inner.args] if isinstance(inner, DEFINITIONS) else [inner]
    return {name.id for name in names_in(roots)}


def _joined(blocks: Sequence[str], statements: Sequence[Statement]) -> str:
    """Join blocks: two blank lines around definitions, none between other statements."""
    text = blocks[0] if blocks else ""
    for block, before, statement in zip(blocks[1:], statements, statements[1:], strict=False):
        needs_blank_line = any(
            isinstance(each.node, (*DEFINITIONS, ast.ClassDef)) for each in (before, statement)
        )
        text += ("\n\n\n" if needs_blank_line else "\n") + block
    return text


def _runs_at_import(text: str) -> InsertionWarning:
    first = text.strip().partition("\n")[0][:100]
    return InsertionWarning(
        "runs_at_collection", f"runs whenever the file is collected, and could fail then: {first}"
    )
