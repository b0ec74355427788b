"""Finds offsets in a JavaScript file where a test can be inserted, never inside a statement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.languages.javascript.bindings import Import
from phases.test_integration.languages.javascript.outline import Group, Outline
from phases.test_integration.read.document import Document, Splice

_REST = re.compile(rb"[ \t\f]*+(?>/\*.*?\*/[ \t\f]*)*+(?>//[^\r\n]*)?(?=[\r\n]|\Z)", re.DOTALL)
_SEMICOLON = re.compile(rb"[ \t]*;")
_BLANKS = re.compile(rb"(?:\s|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
# A line that starts with one of these continues the previous statement, unless that has a semicolon.
CONTINUES = "([`+-*/,.%<>=&|^?"


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """Where text goes, with the number of blank lines before it.

    `is_inline`: other code follows on the same line, and `closing` is the indentation to put before it.
    """

    offset: int
    prefix: str
    blank_lines: int
    is_inline: bool = False
    closing: str = ""


def after(document: Document, end: int, prefix: str, closing: str, blank_lines: int = 1) -> InsertionPoint:
    """Return the point after a statement, its semicolon and the comments on its line."""
    lines = document.lines
    if semicolon := _SEMICOLON.match(lines, end):
        end = semicolon.end()
    if rest := _REST.match(lines, end):
        return InsertionPoint(document.next_line(rest.end()), prefix, blank_lines)
    return InsertionPoint(end, prefix, blank_lines, is_inline=True, closing=closing)


def in_group(outline: Outline, group: Group, anchor: Node | None) -> InsertionPoint:
    """Return the point after the anchor, a statement of the group, or at the group's start."""
    document = outline.document
    margin = document.indent_at(group.call.statement.start_byte).decode()
    if anchor is None:
        comments = [node for node in group.body.named_children if node.type == "comment"]
        end = comments[-1].end_byte if comments else group.body.start_byte + 1
        return after(document, end, margin + outline.unit, margin, blank_lines=1 if comments else 0)
    start = anchor.start_byte
    prefix = document.indent_at(start).decode()
    if document.lines[document.line_start(start) : start].strip():
        prefix = margin + outline.unit
    return after(document, end_of(anchor), prefix, margin)


def at_top(outline: Outline, anchor: Node) -> InsertionPoint:
    prefix = outline.document.indent_at(anchor.start_byte).decode()
    return after(outline.document, end_of(anchor), prefix, prefix)


def end_of_file(outline: Outline) -> InsertionPoint:
    return InsertionPoint(len(outline.document.content), "", 1)


def end_of(statement: Node) -> int:
    """Return the end of the statement; a semicolon on a later line belongs to that line."""
    if statement.type == "expression_statement" and statement.named_children:
        return statement.named_children[0].end_byte
    return statement.end_byte


def needs_semicolon(document: Document, point: InsertionPoint) -> bool:
    """Return whether the following text would continue a statement without semicolon."""
    blanks = _BLANKS.match(document.lines, point.offset)
    following = document.lines[blanks.end() if blanks else point.offset :][:1]
    return bool(following) and following.decode(errors="replace") in CONTINUES


def splice_at(document: Document, point: InsertionPoint, code: str) -> Splice:
    """Return the splice of code in the file's style, with the blank lines it needs."""
    eol, text = document.eol, code.encode()
    if point.is_inline:
        return Splice(point.offset, eol + text + eol + point.closing.encode())
    offset, blank = point.offset, 0
    is_first = not document.lines[document.start : offset].strip()
    while (
        blank < point.blank_lines and offset < len(document.content) and not document.line_at(offset).strip()
    ):
        if not document.lines[offset:].strip():
            break
        offset, blank = document.next_line(offset), blank + 1
    following = document.line_at(offset).strip()
    # Blank lines in front of a closing brace stay there.
    if blank and following[:1] == b"}":
        offset, blank = point.offset, 0
        following = b""
    before = b"" if is_first else eol * (point.blank_lines - blank)
    if document.needs_newline_at(offset):
        return Splice(offset, eol + before + text)
    is_last = not following or following[:1] == b"}"
    return Splice(offset, before + text + eol * (1 if is_last else 2))


def more_names(outline: Outline, found: Import, names: list[str]) -> Splice | None:
    """Return the splice that adds the names to an import's braces, None where it has none."""
    if found.last is None:
        return None
    document = outline.document
    separator = b", "
    before = document.lines[document.line_start(found.last.start_byte) : found.last.start_byte]
    if not before.strip() and found.node.start_point.row != found.last.start_point.row:
        separator = b"," + document.eol + before
    return Splice(found.last.end_byte, b"".join(separator + name.encode() for name in names))


def import_splice(outline: Outline, statements: list[str]) -> Splice | None:
    """Return the splice of new imports: after the last import, else after directives and comments."""
    if not statements:
        return None
    document = outline.document
    eol = document.eol
    text = eol.join(statement.encode() for statement in statements)
    # An import below the first test is no anchor.
    limit = outline.outermost[0].start_byte if outline.outermost else len(document.content)
    anchor = None
    for node in outline.root.named_children:
        if node.type == "import_statement" and node.start_byte < limit:
            anchor = node
    if anchor is None:
        anchor = _head(outline)
    if anchor is None:
        return Splice(document.start, text + eol * 2)
    point = after(document, anchor.end_byte, "", "")
    if point.is_inline:
        return Splice(point.offset, eol + text + eol)
    if document.needs_newline_at(point.offset):
        return Splice(point.offset, eol + text)
    return Splice(point.offset, text + eol)


def _head(outline: Outline) -> Node | None:
    """Return the last of the nodes that must stay first: shebang, comments, directives."""
    last = None
    for node in outline.root.named_children:
        is_directive = node.type == "expression_statement" and [
            each.type for each in node.named_children
        ] == ["string"]
        if not (is_directive or node.type in ("comment", "hash_bang_line")):
            break
        last = node
    return last
