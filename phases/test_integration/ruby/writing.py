"""Writes Ruby: literals and comments that carry data, and tests around a body."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from phases.test_integration.red_tests import RedTest
from phases.test_integration.words import one_line, words_of

LONGEST_NAME = 80
INDENT = "  "


def marks(red_test: RedTest) -> list[str]:
    """Comments that name the test and its attack, one line each; by them a later request finds it again."""
    lines = [
        f"# security: {one_line(red_test.name)}",
        f"# attack vector: {one_line(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"# expected: {one_line(red_test.expected_behavior)}")
    return [line.replace("-*-", "- * -") for line in lines]  # what stands between those is obeyed


def ascii_escaped(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def literal(text: str, quote: str) -> str:
    """A string that is the text and nothing else, in the file's quotes."""
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    if quote == '"':
        escaped = re.sub(r"#(?=[{$@])", r"\\#", escaped)
    return f"{quote}{escaped}{quote}"


def method_name(text: str) -> str:
    """`test_security_...`, plain ASCII, whatever the test is called."""
    words = words_of(text[:LONGEST_NAME])
    if words[:1] in (["test"], ["tests"]):
        del words[0]
    if "security" not in words:
        words.insert(0, "security")
    return "_".join(("test", *words))


def as_method(name: str) -> str:
    """A test's name as Rails makes a method of it, without quotes and `test_`."""
    bare = name[1:-1] if name[:1] in "\"'" and len(name) > 1 else name.removeprefix("test_")
    return re.sub(r"\s+", "_", bare)


def unique_method(name: str, taken: Collection[str]) -> str:
    candidate, number = name, 2
    while as_method(candidate) in taken:
        candidate, number = f"{name.rstrip('?!=')}_{number}", number + 1
    return candidate


def unique_title(title: str, taken: Collection[str]) -> str:
    candidate, number = title, 2
    while re.sub(r"\s+", "_", candidate) in taken:
        candidate, number = f"{title} ({number})", number + 1
    return candidate


def block(
    header: str, lines: Sequence[str], body: str, protected: Collection[int] = ()
) -> tuple[str, set[int]]:
    """`header` and `end` around lines and a body, and which of its rows are within strings.

    `protected` are the body's rows that must not move.
    """
    rows = body.split("\n") if body else []
    first = 1 + len(lines)
    moved = [row if index in protected or not row.strip() else INDENT + row for index, row in enumerate(rows)]
    text = "\n".join((header, *(INDENT + line for line in lines), *moved, "end"))
    return text, {first + row for row in protected}


def to_file_style(code: str, protected: Collection[int], prefix: str, unit: str, eol: str) -> str:
    """The code moved right by `prefix`, its levels as deep as the file's, its lines ended as the file's."""
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
