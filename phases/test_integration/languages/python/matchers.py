"""Rewrites pytest's assertions with unittest's methods, so that the file does not need pytest."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.languages.python.function_edits import line_starts
from phases.test_integration.languages.python.snippet import Snippet, names_in

_METHODS = {"fail": "self.fail", "skip": "self.skipTest"}
_Change = tuple[int, int, bytes]


def without_pytest(snippet: Snippet) -> Snippet:
    """Return the code with methods of `self`; unchanged where a use of pytest has no such method."""
    code = snippet.code.encode()
    starts = line_starts(code)

    def start(node: ast.expr | ast.stmt | ast.keyword) -> int:
        return starts[node.lineno - 1] + node.col_offset

    changes: list[_Change] = []
    changed = 0
    for call, method in _calls(snippet.tree):
        function, end = call.func, call.func.end_col_offset
        assert end is not None and function.end_lineno is not None
        changes.append((start(function), starts[function.end_lineno - 1] + end, method.encode()))
        changes += [(start(keyword), start(keyword.value), b"") for keyword in call.keywords]
        changed += 1
    imports = [node for node in ast.walk(snippet.tree) if _imports_pytest(node)]
    used = sum(name.id == "pytest" for name in names_in([snippet.tree]))
    # Another use of pytest would lose its import.
    if not changed or changed != used:
        return snippet
    for node in imports:
        assert isinstance(node, ast.Import)
        line_end = starts[node.lineno] if node.lineno < len(starts) else len(code)
        if code[starts[node.lineno - 1] : line_end].strip() != b"import pytest":
            return snippet
        changes.append((starts[node.lineno - 1], line_end, b""))
    return Snippet.of(apply_edits(code, changes).decode())


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls with an equivalent in unittest, and the method's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            method = _METHODS.get(_of_pytest(node.value))
            if method and len(node.value.args) == 1 and not node.value.keywords:
                yield node.value, method
        for item in node.items if isinstance(node, ast.With) else ():
            call = item.context_expr
            if isinstance(call, ast.Call) and not item.optional_vars and _of_pytest(call) == "raises":
                keywords = [each.arg for each in call.keywords]
                if len(call.args) == 1 and keywords in ([], ["match"]):
                    yield call, "self.assertRaisesRegex" if keywords else "self.assertRaises"


def _of_pytest(call: ast.Call) -> str:
    """Return the name of pytest's function, empty for another call."""
    function = call.func
    is_pytests = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)
    if is_pytests and function.value.id == "pytest":  # type: ignore[attr-defined]
        return function.attr  # type: ignore[attr-defined, no-any-return]
    return ""


def _imports_pytest(node: ast.AST) -> bool:
    return isinstance(node, ast.Import) and any(each.name == "pytest" for each in node.names)
