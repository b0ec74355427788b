"""Re-indents Go code with tabs, without changing its string literals."""

from __future__ import annotations

from collections.abc import Collection

from phases.test_integration.languages.golang.outline import RAW_STRINGS, Outline
from phases.test_integration.read.syntax import rows_starting_in, walk


def rows_in_strings(outline: Outline) -> set[int]:
    """Return the 0-based rows that start inside a raw string or a block comment."""
    types = {*RAW_STRINGS, "comment"}
    return rows_starting_in(node for node in walk(outline.root) if node.type in types)


def indent_with_tabs(text: str, protected: Collection[int]) -> str:
    """Return the code without its common indentation, one tab per level, as gofmt does."""
    lines = [line if row in protected else _with_spaces(line) for row, line in enumerate(text.split("\n"))]
    margins = [
        len(line) - len(line.lstrip(" "))
        for row, line in enumerate(lines)
        if row not in protected and line.strip()
    ]
    # A stripped body has lost the indentation of its first line only.
    common = min(margins, default=0)
    if margins and margins[0] == 0 and len(margins) > 1 and min(margins[1:]) > 0 and not _opens(lines[0]):
        common = min(margins[1:])
    steps = sorted({margin - common for margin in margins if margin > common})
    unit = steps[0] if steps and steps[0] in (2, 3, 4, 8) else 4
    for row, line in enumerate(lines):
        if row not in protected:
            bare = line.lstrip(" ")
            level, rest = divmod(max(len(line) - len(bare) - common, 0), unit)
            lines[row] = ("\t" * level + " " * rest + bare).rstrip() if bare else ""
    return "\n".join(lines).strip("\n")


def _with_spaces(line: str) -> str:
    bare = line.lstrip(" \t")
    return line[: len(line) - len(bare)].replace("\t", "    ") + bare


def _opens(line: str) -> bool:
    return line.rstrip().endswith(("{", "(", "[", ","))
