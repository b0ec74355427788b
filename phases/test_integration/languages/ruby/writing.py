"""Renders Ruby literals, comments and tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import one_line, words_of

MAX_NAME_LENGTH = 80
INDENT = "  "


def markers(red_test: RedTest) -> list[str]:
    """Return one comment line each for name, attack and expectation; a later request finds them again."""
    lines = [
        f"# security: {one_line(red_test.name)}",
        f"# attack vector: {one_line(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"# expected: {one_line(red_test.expected_behavior)}")
    return [line.replace("-*-", "- * -") for line in lines]  # Ruby reads magic comments between these


def ascii_escaped(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def literal(text: str, quote: str) -> str:
    """Return a string literal in the file's quotes with exactly this value."""
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    if quote == '"':
        escaped = re.sub(r"#(?=[{$@])", r"\\#", escaped)
    return f"{quote}{escaped}{quote}"


def method_name(text: str) -> str:
    """Return an ASCII name `test_security_...` for any test name."""
    words = words_of(text[:MAX_NAME_LENGTH])
    if words[:1] in (["test"], ["tests"]):
        del words[0]
    if "security" not in words:
        words.insert(0, "security")
    return "_".join(("test", *words))


def as_method(name: str) -> str:
    """Return the method name that Rails derives from a test's name, without quotes and `test_`."""
    bare = name[1:-1] if name[:1] in "\"'" and len(name) > 1 else name.removeprefix("test_")
    return re.sub(r"\s+", "_", bare)


def make_unique_method(name: str, used_names: Collection[str]) -> str:
    candidate, number = name, 2
    while as_method(candidate) in used_names:
        candidate, number = f"{name.rstrip('?!=')}_{number}", number + 1
    return candidate


def make_unique_title(title: str, used_names: Collection[str]) -> str:
    candidate, number = title, 2
    while re.sub(r"\s+", "_", candidate) in used_names:
        candidate, number = f"{title} ({number})", number + 1
    return candidate


def block(
    header: str, lines: Sequence[str], body: str, protected: Collection[int] = ()
) -> tuple[str, set[int]]:
    """Return `header` and `end` around lines and a body, and the rows inside strings.

    The body's `protected` rows keep their indentation.
    """
    rows = body.split("\n") if body else []
    first = 1 + len(lines)
    moved = [row if index in protected or not row.strip() else INDENT + row for index, row in enumerate(rows)]
    text = "\n".join((header, *(INDENT + line for line in lines), *moved, "end"))
    return text, {first + row for row in protected}


def to_file_style(code: str, protected: Collection[int], prefix: str, unit: str, eol: str) -> str:
    """Return the code indented by `prefix`, with the file's indentation unit and line endings."""
    lines = code.split("\n")
    for row, line in enumerate(lines):
        if row in protected or not line.strip():
            continue
        if unit != INDENT and "\t" in unit:
            bare = line.lstrip(" ")
            width = len(line) - len(bare)
            line = unit * (width // 2) + " " * (width % 2) + bare
        lines[row] = prefix + line
    return eol.join(lines)
