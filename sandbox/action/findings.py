"""Find SQL injections in Python sources: statements built from values and passed to `execute`."""

import ast
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

EXECUTE = {"execute", "executemany", "executescript"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """A SQL statement that contains values. It is built at `line`; `names` are the values' expressions."""

    file: str
    line: int
    function: str
    names: tuple[str, ...]
    snippet: str

    def describe(self) -> dict[str, Any]:
        """Return the finding in the format that the Action stores."""
        return {
            "type": "sql_injection",
            "severity": "critical",
            "cwe": "CWE-89",
            "description": f"{', '.join(self.names)} becomes part of the SQL statement that is executed",
            **{name: value for name, value in asdict(self).items() if name != "names"},
        }


def find_in_checkout(checkout: Path) -> list[Finding]:
    """Return the findings in all Python files of a checkout except its tests."""
    sources = [path for path in sorted(checkout.rglob("*.py")) if not is_test(path.relative_to(checkout))]
    return [
        finding
        for path in sources
        for finding in find_in_source(path.read_text(), path.relative_to(checkout).as_posix())
    ]


def is_test(path: Path) -> bool:
    return "tests" in path.parts or path.name.startswith("test_") or path.name == "conftest.py"


def find_in_source(source: str, file: str) -> list[Finding]:
    """Return a finding for each `execute` whose statement contains anything but constants of the module."""
    tree = ast.parse(source)
    constants = set(_name_constants(tree))
    return [
        Finding(
            file=file,
            line=statement.lineno,
            function=function.name,
            names=tuple(names),
            snippet=(ast.get_source_segment(source, statement) or "").strip(),
        )
        for function, _, statement in iterate_execute_calls(tree)
        if (names := [ast.unparse(part) for part in list_parts(statement, constants)])
    ]


def iterate_execute_calls(tree: ast.Module) -> Iterator[tuple[Function, ast.Call, ast.expr]]:
    """Yield each call of `execute` in a function, with the expression that builds its statement."""
    for function in ast.walk(tree):
        if not isinstance(function, Function):
            continue
        assigned = _read_assignments(function)
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and _is_execute(call) and call.args:
                statement = call.args[0]
                # Follow one assignment, which is how such statements are usually written.
                if isinstance(statement, ast.Name):
                    statement = assigned.get(statement.id, statement)
                yield function, call, statement


def list_parts(statement: ast.expr, constants: set[str]) -> list[ast.expr]:
    """Return the values in a statement: f-string fields, operands of + and %, arguments of `format`."""
    match statement:
        case ast.JoinedStr(values=values):
            found = [value.value for value in values if isinstance(value, ast.FormattedValue)]
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
            return list_parts(left, constants) + list_parts(right, constants)
        case ast.Tuple(elts=elements):
            found = elements
        case ast.Call(func=ast.Attribute(attr="format"), args=arguments, keywords=keywords):
            found = [*arguments, *(keyword.value for keyword in keywords)]
        case ast.Name():
            found = [statement]
        case _:
            found = []
    return [part for part in found if not _is_constant(part, constants)]


def _is_constant(part: ast.expr, constants: set[str]) -> bool:
    return isinstance(part, ast.Constant) or (isinstance(part, ast.Name) and part.id in constants)


def _name_constants(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def _read_assignments(function: Function) -> dict[str, ast.expr]:
    return {
        target.id: statement.value
        for statement in ast.walk(function)
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _is_execute(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in EXECUTE
