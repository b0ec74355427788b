"""Finds offsets in a Python file where a test can be inserted, never inside a statement or a string."""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from phases.test_integration.languages.python.outline import Class, Function, Outline
from phases.test_integration.plan.insertion_points import InsertionPoint
from phases.test_integration.read.document import Document, Splice

_MODULE_BLANK_LINES, _CLASS_BLANK_LINES = 2, 1  # around a definition


def after(outline: Outline, node: Node) -> InsertionPoint:
    """Return the point after a definition and the comments indented like its body."""
    document = outline.document
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
    return InsertionPoint(offset, margin.decode(), _MODULE_BLANK_LINES)


def inside_class(outline: Outline, group: Class, tests: Sequence[Function]) -> InsertionPoint | None:
    """Return the point after the class's last test or statement; None for a one-line class."""
    document = outline.document
    members = [node for node in group.body.named_children if node.type != "comment"]
    if not members:
        return None
    first = members[0].start_byte
    if document.lines[document.line_start(first) : first].strip():
        return None
    point = after(outline, tests[-1].node if tests else members[-1])
    return InsertionPoint(point.offset, document.indent_at(first).decode(), _CLASS_BLANK_LINES)


def end_of_file(outline: Outline) -> InsertionPoint:
    return InsertionPoint(len(outline.document.content), "", _MODULE_BLANK_LINES)


def end_of_module(outline: Outline) -> InsertionPoint:
    """Return the end of the module, before a `__main__` block and its comments."""
    document = outline.document
    if outline.main_guard is None:
        return end_of_file(outline)
    offset = document.line_start(outline.main_guard.start_byte)
    while offset > document.start:
        before = document.line_start(offset - 1)
        if not document.line_at(before).startswith(b"#"):
            break
        offset = before
    while offset > document.start and not document.line_at(document.line_start(offset - 1)).strip():
        offset = document.line_start(offset - 1)
    return InsertionPoint(offset, "", _MODULE_BLANK_LINES)


def import_splice(outline: Outline, statements: list[str]) -> Splice | None:
    """Return the splice of new imports: after the last leading import, else after docstring and comments."""
    if not statements:
        return None
    document = outline.document
    eol = document.eol
    text = eol.join(statement.encode() for statement in statements)
    anchor = _last_leading_import(outline)
    if anchor is not None:
        offset = _end_of_line(document, _last_of_its_line(anchor).end_byte)
        is_open = document.needs_newline_at(offset)
        return Splice(offset, eol + text if is_open else text + eol)
    offset = document.start
    for node in outline.root.named_children:
        is_head = node.type == "comment" or (
            node.type == "expression_statement"
            and len(node.named_children) == 1
            and node.named_children[0].type == "string"
        )
        if not is_head:
            break
        offset = _end_of_line(document, node.end_byte)
        # A comment below the docstring belongs to the code that follows.
        if node.type != "comment":
            break
    before = eol if offset > document.start else b""
    after_it = eol * (1 if not document.line_at(offset).strip() else 1 + _MODULE_BLANK_LINES)
    return Splice(offset, eol * document.needs_newline_at(offset) + before + text + after_it)


def _last_of_its_line(anchor: Node) -> Node:
    """Return the last statement on the anchor's line."""
    siblings = anchor.parent.named_children if anchor.parent is not None else []
    for sibling in siblings:
        if sibling.start_byte > anchor.start_byte:
            if sibling.start_point.row != anchor.end_point.row:
                break
            anchor = sibling
    return anchor


def _last_leading_import(outline: Outline) -> Node | None:
    """Return the last import before the first definition."""
    definitions = [*(each.node for each in outline.functions), *(each.node for each in outline.classes)]
    limit = min((node.start_byte for node in definitions), default=None)
    leading = [each.node for each in outline.imports if limit is None or each.node.start_byte < limit]
    return leading[-1] if leading else None


def _end_of_line(document: Document, offset: int) -> int:
    """Return the start of the next line, past lines that end with a backslash."""
    while True:
        following = document.next_line(offset)
        if following == len(document.content) or not document.lines[offset:following].rstrip(
            b"\n\r"
        ).endswith(b"\\"):
            return following
        offset = following
