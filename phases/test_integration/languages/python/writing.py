"""Renders Python names, comments and functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from phases.test_integration.languages.python.snippet import indented
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import one_line, words_of

MAX_NAME_LENGTH = 80
INDENT = "    "


def markers(red_test: RedTest) -> list[str]:
    """Return one comment line each for name, attack and expectation; a later request finds them again."""
    lines = [
        f"# security: {one_line(red_test.name)}",
        f"# attack vector: {one_line(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"# expected: {one_line(red_test.expected_behavior)}")
    return lines


def function_name(red_test: RedTest) -> str:
    """Return an ASCII name `test_security_...` for any test name."""
    words = words_of(red_test.name[:MAX_NAME_LENGTH])
    if words[:1] in (["test"], ["tests"]):
        del words[0]
    if "security" not in words:
        words.insert(0, "security")
    return "_".join(("test", *words))


def make_unique(name: str, used_names: Collection[str]) -> str:
    """Return the name, with the first number that makes it unique if it is used."""
    candidate, number = name, 2
    while candidate in used_names:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def function(
    name: str,
    parameters: Sequence[str],
    lines: Sequence[str],
    body: str,
    *,
    is_async: bool,
    decorators: Sequence[str],
) -> str:
    """Return a function without indentation, with `lines` before its body."""
    header = f"{'async ' if is_async else ''}def {name}({', '.join(parameters)}):"
    comments = [INDENT + line for line in lines]
    return "\n".join((*(f"@{each}" for each in decorators), header, *comments, indented(body, INDENT)))


def fingerprint(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the same value for functions that differ only in comments, layout, imports or name numbers."""
    statements = [node for node in function.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return re.sub(r"_\d+(?=')", "", "\n".join(map(ast.dump, statements)))


def to_file_style(code: str, rows_in_strings: set[int], prefix: str, unit: str, eol: str) -> str:
    """Return the code indented by `prefix`, with the file's indentation unit and line endings."""
    lines = code.split("\n")
    margins = {
        len(line) - len(line.lstrip(" "))
        for row, line in enumerate(lines)
        if row not in rows_in_strings and line.strip()
    }
    # Other margins align code: converting them would move it.
    converts = unit != INDENT and all(margin % len(INDENT) == 0 for margin in margins)
    for row, line in enumerate(lines):
        if row in rows_in_strings or not line.strip():
            continue
        bare = line.lstrip(" ") if converts else line
        levels = (len(line) - len(bare)) // len(INDENT)
        lines[row] = prefix + unit * levels + bare
    return eol.join(lines)
