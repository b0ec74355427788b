"""Places in a Python file where a test can stand, as offsets that never fall into a statement or a string."""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from phases.test_integration.document import Document, Splice
from phases.test_integration.python.layout import Class, Function, Layout
from phases.test_integration.spots import Spot

_MODULE_GAP, _CLASS_GAP = 2, 1  # empty lines around a definition


def after(layout: Layout, node: Node) -> Spot:
    """Behind a whole definition, and behind the comments that are indented as if they were its own."""
    document = layout.document
    margin = document.indent_at(node.start_byte)
    offset = _end_of_line(document, node.end_byte)
    following = offset
    while following < len(document.content):
        line = document.line_at(following)
        following = document.next_line(following)
        if line.strip():
            indent = line[: len(line) - len(line.lstrip())]
            if not (line.lstrip().startswith(b"#") and len(indent) > len(margin)):
                break
            offset = following
    return Spot(offset, margin.decode(), _MODULE_GAP)


def inside_class(layout: Layout, group: Class, tests: Sequence[Function]) -> Spot | None:
    """Behind the last of the class's tests, or of its statements; None for a class of one line."""
    document = layout.document
    members = [node for node in group.body.named_children if node.type != "comment"]
    if not members:
        return None
    first = members[0].start_byte
    if document.lines[document.line_start(first) : first].strip():
        return None
    spot = after(layout, tests[-1].node if tests else members[-1])
    return Spot(spot.offset, document.indent_at(first).decode(), _CLASS_GAP)


def end_of_file(layout: Layout) -> Spot:
    return Spot(len(layout.document.content), "", _MODULE_GAP)


def end_of_module(layout: Layout) -> Spot:
    """Behind everything, but before a `__main__` block and the comments on it."""
    document = layout.document
    if layout.main_guard is None:
        return end_of_file(layout)
    offset = document.line_start(layout.main_guard.start_byte)
    while offset > document.start:
        before = document.line_start(offset - 1)
        if not document.line_at(before).startswith(b"#"):
            break
        offset = before
    while offset > document.start and not document.line_at(document.line_start(offset - 1)).strip():
        offset = document.line_start(offset - 1)
    return Spot(offset, "", _MODULE_GAP)


def import_splice(layout: Layout, statements: list[str]) -> Splice | None:
    """New imports, behind the last import at the file's head, else behind its docstring and comments."""
    if not statements:
        return None
    document = layout.document
    eol = document.eol
    text = eol.join(statement.encode() for statement in statements)
    anchor = _last_leading_import(layout)
    if anchor is not None:
        offset = _end_of_line(document, _last_of_its_line(anchor).end_byte)
        is_open = document.ends_mid_line(offset)
        return Splice(offset, eol + text if is_open else text + eol)
    offset = document.start
    for node in layout.root.named_children:
        is_head = node.type == "comment" or (
            node.type == "expression_statement"
            and len(node.named_children) == 1
            and node.named_children[0].type == "string"
        )
        if not is_head:
            break
        offset = _end_of_line(document, node.end_byte)
        if node.type != "comment":
            break
    before = eol if offset > document.start else b""
    after_it = eol * (1 if not document.line_at(offset).strip() else 1 + _MODULE_GAP)
    return Splice(offset, eol * document.ends_mid_line(offset) + before + text + after_it)


def _last_of_its_line(anchor: Node) -> Node:
    """The last of the statements that go on in the anchor's line."""
    siblings = anchor.parent.named_children if anchor.parent is not None else []
    for sibling in siblings:
        if sibling.start_byte > anchor.start_byte:
            if sibling.start_point.row != anchor.end_point.row:
                break
            anchor = sibling
    return anchor


def _last_leading_import(layout: Layout) -> Node | None:
    """The last import before the first definition."""
    definitions = [*(each.node for each in layout.functions), *(each.node for each in layout.classes)]
    limit = min((node.start_byte for node in definitions), default=None)
    leading = [each.node for each in layout.imports if limit is None or each.node.start_byte < limit]
    return leading[-1] if leading else None


def _end_of_line(document: Document, offset: int) -> int:
    """Where the next line starts, past lines that a backslash continues."""
    while True:
        following = document.next_line(offset)
        if following == len(document.content) or not document.lines[offset:following].rstrip(
            b"\n\r"
        ).endswith(b"\\"):
            return following
        offset = following
