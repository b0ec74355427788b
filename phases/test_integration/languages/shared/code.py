"""Parses, re-indents and compares test code, without changing its string literals."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar, errors, rows_starting_in, walk

INDENT = "    "
MAX_COMMENTS = 200  # above a function
MAX_NODES = 20_000  # about 20 times the size of a hand-written test


def parsed(grammar: Grammar, text: str) -> Node | None:
    """Return the tree of a test's code, None where it has errors.

    Raises InvalidTestCode for code that is too complex.
    """
    try:
        tree = grammar.parse(Document(text.encode()))
    except TargetRejected:
        raise InvalidTestCode("testCode is too complex to be a test") from None
    if tree.root_node.descendant_count > MAX_NODES:
        raise InvalidTestCode("testCode is too complex to be a test")
    return None if errors(tree) else tree.root_node


def tidy(code: str) -> str:
    """Return the code with `\\n` endings and without blank lines around it."""
    lines = re.sub(r"\r\n?", "\n", code).rstrip().split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    return "\n".join(lines)


def rows_within(root: Node, types: Collection[str], *, above: int = 0) -> set[int]:
    """Return the rows that start inside a node of these types, counted from the row `above`."""
    rows = rows_starting_in(node for node in walk(root) if node.type in types)
    return {row - above for row in rows} if above else rows


def dedented(code: str, protected: Collection[int]) -> str:
    """Return the code without common indentation, even if its first line is not the leftmost."""
    lines = code.split("\n")
    margins = [
        line[: len(line) - len(line.lstrip(" \t"))]
        for row, line in enumerate(lines)
        if row not in protected and line.strip()
    ]
    first, rest = (margins[0] if margins else ""), margins[1:]
    # Only the first line lost its indentation, as by `strip()`.
    prefix = min(rest, key=len) if rest and not first else min(margins, key=len, default="")
    if not first and prefix and _opens(lines[0]):
        prefix = ""
    return "\n".join(
        line if row in protected else line.removeprefix(prefix) if line.startswith(prefix) else line.lstrip()
        for row, line in enumerate(lines)
    )


def indented(code: str, prefix: str, protected: Collection[int]) -> str:
    return "\n".join(
        line if row in protected or not line.strip() else prefix + line
        for row, line in enumerate(code.split("\n"))
    )


def to_file_style(code: str, protected: Collection[int], prefix: str, unit: str, eol: str) -> str:
    """Return the code indented by `prefix`, with the file's indentation unit and line endings."""
    lines = code.split("\n")
    own = _unit(line for row, line in enumerate(lines) if row not in protected and line.strip())
    for row, line in enumerate(lines):
        if row in protected or not line.strip():
            continue
        bare = line.lstrip(own[0]) if own else line
        levels = (len(line) - len(bare)) // len(own) if own else 0
        lines[row] = prefix + unit * levels + bare
    return eol.join(lines)


def tokens(node: Node, last_of: Collection[str] = ()) -> tuple[str, ...]:
    """Return the leaves of the tree without comments and without numbers after names.

    For nodes of the types `last_of`, only their last child counts.
    """
    found = []
    stack = [node]
    while stack:
        inner = stack.pop()
        if "comment" in inner.type:
            continue
        if inner.children:
            stack.extend(inner.children[-1:] if inner.type in last_of else reversed(inner.children))
        elif inner.text:
            text = re.sub(r"\r\n?", "\n", inner.text.decode(errors="replace")).strip()
            # A name has got a number where the file uses it already.
            found.append(re.sub(r"(?<=[^\W\d])_?\d+$", "", text))
    return tuple(token for token in found if token)


def walk_with_parents(root: Node) -> Iterator[tuple[Node, Node | None, Node | None]]:
    """Yield every node in order with its parent and grandparent; `node.parent` is slow."""
    stack: list[tuple[Node, Node | None, Node | None]] = [(root, None, None)]
    while stack:
        node, parent, above = stack.pop()
        yield node, parent, above
        stack.extend((child, node, parent) for child in reversed(node.children))


def comments_above(siblings: Sequence[Node], index: int) -> list[Node]:
    """Return the comments on their own lines directly above a node, in order, at most MAX_COMMENTS."""
    found: list[Node] = []
    row = siblings[index].start_point.row
    while index > 0 and len(found) < MAX_COMMENTS:
        above = siblings[index - 1]
        # A comment behind other code belongs to that code.
        is_own = index < 2 or siblings[index - 2].end_point.row < above.start_point.row
        if "comment" not in above.type or above.end_point.row + 1 < row or not is_own:
            break
        found.append(above)
        row, index = above.start_point.row, index - 1
    return found[::-1]


def _opens(line: str) -> bool:
    return line.rstrip().endswith(("{", "(", "[", ",", "->", " do", "fn", "=>", "="))


def _unit(lines: Iterable[str]) -> str:
    """Return the indentation unit, empty where the lines have no regular levels."""
    margins = [line[: len(line) - len(line.lstrip())] for line in lines]
    # Four spaces before two: lines that fit four fit two as well.
    for unit in ("\t", INDENT, "  "):
        if all(not margin.strip(unit[0]) and len(margin) % len(unit) == 0 for margin in margins):
            return unit
    return ""
