"""Places in a JavaScript file where a test can stand, as offsets that never fall into a statement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.document import Document, Splice
from phases.test_integration.javascript.bindings import Import
from phases.test_integration.javascript.layout import Group, Layout

_REST = re.compile(rb"[ \t\f]*+(?>/\*.*?\*/[ \t\f]*)*+(?>//[^\r\n]*)?(?=[\r\n]|\Z)", re.DOTALL)
_SEMICOLON = re.compile(rb"[ \t]*;")
_BLANKS = re.compile(rb"(?:\s|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
# With these a line goes on with the statement before it, unless that ended with a semicolon.
CONTINUES = "([`+-*/,.%<>=&|^?"


@dataclass(frozen=True, slots=True)
class Spot:
    """`gap` is the number of empty lines before what is put there; `closing` what follows it on a line.

    `is_inline` where the line goes on behind the spot.
    """

    offset: int
    prefix: str
    gap: int
    is_inline: bool = False
    closing: str = ""


def after(document: Document, end: int, prefix: str, closing: str, gap: int = 1) -> Spot:
    """Behind a statement that ends there, its semicolon and the comments on its line."""
    lines = document.lines
    if semicolon := _SEMICOLON.match(lines, end):
        end = semicolon.end()
    if rest := _REST.match(lines, end):
        return Spot(document.next_line(rest.end()), prefix, gap)
    return Spot(end, prefix, gap, is_inline=True, closing=closing)


def in_group(layout: Layout, group: Group, anchor: Node | None) -> Spot:
    """Behind the anchor, one of the group's statements, or at the group's start."""
    document = layout.document
    margin = document.indent_at(group.call.statement.start_byte).decode()
    if anchor is None:
        comments = [node for node in group.body.named_children if node.type == "comment"]
        end = comments[-1].end_byte if comments else group.body.start_byte + 1
        return after(document, end, margin + layout.unit, margin, gap=1 if comments else 0)
    start = anchor.start_byte
    prefix = document.indent_at(start).decode()
    if document.lines[document.line_start(start) : start].strip():
        prefix = margin + layout.unit
    return after(document, end_of(anchor), prefix, margin)


def at_top(layout: Layout, anchor: Node) -> Spot:
    prefix = layout.document.indent_at(anchor.start_byte).decode()
    return after(layout.document, end_of(anchor), prefix, prefix)


def end_of_file(layout: Layout) -> Spot:
    return Spot(len(layout.document.content), "", 1)


def end_of(statement: Node) -> int:
    """Where the statement ends; a semicolon that begins a later line belongs to that line."""
    if statement.type == "expression_statement" and statement.named_children:
        return statement.named_children[0].end_byte
    return statement.end_byte


def needs_semicolon(document: Document, spot: Spot) -> bool:
    """Whether what follows would be taken for a part of a statement without semicolon."""
    blanks = _BLANKS.match(document.lines, spot.offset)
    following = document.lines[blanks.end() if blanks else spot.offset :][:1]
    return bool(following) and following.decode(errors="replace") in CONTINUES


def splice_at(document: Document, spot: Spot, code: str) -> Splice:
    """The code, already in the file's style, with the empty lines that it needs around it."""
    eol, text = document.eol, code.encode()
    if spot.is_inline:
        return Splice(spot.offset, eol + text + eol + spot.closing.encode())
    offset, blank = spot.offset, 0
    is_first = not document.lines[document.start : offset].strip()
    while blank < spot.gap and offset < len(document.content) and not document.line_at(offset).strip():
        if not document.lines[offset:].strip():
            break
        offset, blank = document.next_line(offset), blank + 1
    following = document.line_at(offset).strip()
    if blank and following[:1] == b"}":
        offset, blank = spot.offset, 0
        following = b""
    before = b"" if is_first else eol * (spot.gap - blank)
    if document.ends_mid_line(offset):
        return Splice(offset, eol + before + text)
    is_last = not following or following[:1] == b"}"
    return Splice(offset, before + text + eol * (1 if is_last else 2))


def more_names(layout: Layout, found: Import, names: list[str]) -> Splice | None:
    """The names, put behind the last that the import takes from its module."""
    if found.last is None:
        return None
    document = layout.document
    separator = b", "
    before = document.lines[document.line_start(found.last.start_byte) : found.last.start_byte]
    if not before.strip() and found.node.start_point.row != found.last.start_point.row:
        separator = b"," + document.eol + before
    return Splice(found.last.end_byte, b"".join(separator + name.encode() for name in names))


def import_splice(layout: Layout, statements: list[str]) -> Splice | None:
    """New imports, behind the last import at the file's head, else behind its directives and comments."""
    if not statements:
        return None
    document = layout.document
    eol = document.eol
    text = eol.join(statement.encode() for statement in statements)
    limit = layout.outermost[0].start_byte if layout.outermost else len(document.content)
    anchor = None
    for node in layout.root.named_children:
        if node.type == "import_statement" and node.start_byte < limit:
            anchor = node
    if anchor is None:
        anchor = _head(layout)
    if anchor is None:
        return Splice(document.start, text + eol * 2)
    spot = after(document, anchor.end_byte, "", "")
    if spot.is_inline:
        return Splice(spot.offset, eol + text + eol)
    if document.ends_mid_line(spot.offset):
        return Splice(spot.offset, eol + text)
    return Splice(spot.offset, text + eol)


def _head(layout: Layout) -> Node | None:
    """The last of what must stay first: shebang, comments, directives."""
    last = None
    for node in layout.root.named_children:
        is_directive = node.type == "expression_statement" and [
            each.type for each in node.named_children
        ] == ["string"]
        if not (is_directive or node.type in ("comment", "hash_bang_line")):
            break
        last = node
    return last
