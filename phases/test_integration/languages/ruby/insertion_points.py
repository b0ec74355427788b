"""Finds offsets in a Ruby file for new code, never inside a heredoc, a string or a comment block."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.languages.ruby.outline import Group, Member, Outline
from phases.test_integration.read.document import Document, Splice

_END = re.compile(rb"^__END__\r?$", re.MULTILINE)
_ATOMIC = {"heredoc_body", "string", "comment", "regex", "subshell", "string_array", "symbol_array"}


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """The start of a line or, with `is_inline`, of a group's closer after other code."""

    offset: int
    prefix: str
    is_inline: bool = False
    closer_offset: int = -1


def inside(outline: Outline, group: Group) -> InsertionPoint | None:
    """Return the point after the group's last test or group, else before a `private`."""
    closer = group.closer
    if closer is None:
        return None
    document = outline.document
    margin = document.indent_at(group.node.start_byte)
    if not group.members:
        return _before_closer(outline, group, closer, (margin + unit(outline)).decode())
    prefix = _indent_of_members(document, group, (margin + unit(outline)))
    offset = after(outline, group.members, _anchor(group.members))
    if offset > document.line_start(closer.start_byte):
        return _before_closer(outline, group, closer, prefix)
    return InsertionPoint(offset, prefix, closer_offset=document.line_start(closer.start_byte))


def after(outline: Outline, members: list[Member], position: int) -> int:
    """Return the first line start after the member and everything that begins on its last line."""
    offset = line_after(outline, members[position].node.end_byte)
    for member in members[position + 1 :]:
        if member.node.start_byte >= offset:
            break
        if member.node.end_byte > offset:
            offset = line_after(outline, member.node.end_byte)
    return offset


def line_after(outline: Outline, offset: int) -> int:
    """Return the next line start, past heredocs opened before it."""
    document = outline.document
    position = document.next_line(max(offset - 1, 0) if _ends_line(document, offset) else offset)
    while position < len(document.content) and (atomic := _atomic_node_around(outline, position)) is not None:
        position = document.next_line(max(atomic.end_byte - 1, position))
    return position


def end_of_file(outline: Outline) -> InsertionPoint:
    """Return the end of the file, before `__END__` data."""
    document = outline.document
    offset = len(document.content)
    # Inside a heredoc or a comment, `__END__` ends nothing.
    for found in _END.finditer(document.lines):
        if found.start() >= document.start and _atomic_node_around(outline, found.start()) is None:
            offset = found.start()
            break
    return InsertionPoint(offset, "")


def unit(outline: Outline) -> bytes:
    """Return one level of the file's indentation."""
    document = outline.document
    for group in outline.groups[1:20]:
        for member in group.members[:1]:
            margin = document.indent_at(group.node.start_byte)
            indent = document.indent_at(member.node.start_byte)
            if len(indent) > len(margin) and indent.startswith(margin):
                return indent[len(margin) :]
    return b"  "


def splice_at(document: Document, point: InsertionPoint, code: str) -> Splice:
    """Return the splice of code in the file's style, one blank line from its neighbors."""
    eol, text, offset = document.eol, code.encode(), point.offset
    if point.is_inline:
        margin = document.indent_at(offset)
        return Splice(offset, eol + text + eol + margin)
    has_gap = False
    if (
        offset < len(document.content)
        and offset != point.closer_offset
        and not document.line_at(offset).strip()
    ):
        offset, has_gap = document.next_line(offset), True
    before = document.lines[:offset].rstrip()
    is_first = not before.removeprefix(b"\xef\xbb\xbf")
    opened = has_gap or is_first or document.lines[:offset].endswith((b"\n\n", b"\n\r\n"))
    lead = b"" if opened else eol
    if document.needs_newline_at(offset):
        return Splice(offset, eol + lead + text)
    is_last = offset == point.closer_offset or not document.lines[offset:].strip()
    return Splice(offset, lead + text + eol + (b"" if is_last else eol))


def _anchor(members: list[Member]) -> int:
    """Return the index of the last member with tests, else of the last one before a `private`."""
    holding = [index for index, member in enumerate(members) if member.holds_tests]
    methods = [index for index in holding if members[index].test is not None]
    if methods and members[methods[-1]].test.keyword == "def":  # type: ignore[union-attr]
        # A test's method after a bare `private` would not be collected.
        holding = _public(members, holding)
    if holding:
        return holding[-1]
    public = _public(members, list(range(len(members))))
    return public[-1] if public else 0


def _public(members: list[Member], positions: list[int]) -> list[int]:
    limit = next(
        (
            index
            for index, member in enumerate(members)
            if member.word in ("private", "protected") and member.node.type == "identifier"
        ),
        len(members),
    )
    return [index for index in positions if index < limit]


def _before_closer(outline: Outline, group: Group, closer: Node, prefix: str) -> InsertionPoint | None:
    document = outline.document
    start = document.line_start(closer.start_byte)
    if start > group.node.start_byte and not document.lines[start : closer.start_byte].strip():
        return InsertionPoint(start, prefix, closer_offset=start)
    line = document.lines[start : closer.start_byte]
    if b"<<" in line:
        return None  # a heredoc may begin on this line; the following lines would be its text
    return InsertionPoint(closer.start_byte, prefix, is_inline=True)


def _indent_of_members(document: Document, group: Group, default: bytes) -> str:
    for member in group.members:
        start = member.node.start_byte
        line_start = document.line_start(start)
        if not document.lines[line_start:start].strip() and line_start > group.node.start_byte:
            return document.lines[line_start:start].decode()
    return default.decode()


def _ends_line(document: Document, offset: int) -> bool:
    """Return whether a node that ends here includes its line ending, as incomplete nodes may."""
    return offset > 0 and document.lines[offset - 1 : offset] == b"\n"


def _atomic_node_around(outline: Outline, offset: int) -> Node | None:
    """Return the outermost heredoc, string or comment that contains the offset."""
    cursor = outline.root.walk()
    while cursor.goto_first_child_for_byte(offset) is not None:  # top-down, as `node.parent` is slow
        node = cursor.node
        if node is None or not node.start_byte < offset < node.end_byte:
            break
        if node.type in _ATOMIC:
            return node
    return None
