"""Places in a Ruby file where something can stand, never inside a heredoc, a string or a comment block."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.document import Document, Splice
from phases.test_integration.ruby.layout import Group, Layout, Member

_END = re.compile(rb"^__END__\r?$", re.MULTILINE)
_WHOLE = {"heredoc_body", "string", "comment", "regex", "subshell", "string_array", "symbol_array"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a line begins, or, `inline`, where the closer of a group stands behind other code."""

    offset: int
    prefix: str
    inline: bool = False
    closes: int = -1


def inside(layout: Layout, group: Group) -> Spot | None:
    """Behind the group's last test, or group, or before the first thing that changes what follows."""
    closer = group.closer
    if closer is None:
        return None
    document = layout.document
    margin = document.indent_at(group.node.start_byte)
    if not group.members:
        return _before_closer(layout, group, closer, (margin + unit(layout)).decode())
    prefix = _indent_of_members(document, group, (margin + unit(layout)))
    offset = after(layout, group.members, _anchor(group.members))
    if offset > document.line_start(closer.start_byte):
        return _before_closer(layout, group, closer, prefix)
    return Spot(offset, prefix, closes=document.line_start(closer.start_byte))


def after(layout: Layout, members: list[Member], position: int) -> int:
    """The start of the first line behind the member, and behind what else begins on its last line."""
    offset = line_behind(layout, members[position].node.end_byte)
    for member in members[position + 1 :]:
        if member.node.start_byte >= offset:
            break
        if member.node.end_byte > offset:
            offset = line_behind(layout, member.node.end_byte)
    return offset


def line_behind(layout: Layout, offset: int) -> int:
    """The next line's start, past the heredocs that were opened before."""
    document = layout.document
    position = document.next_line(max(offset - 1, 0) if _ends_line(document, offset) else offset)
    while position < len(document.content) and (whole := _whole_around(layout, position)) is not None:
        position = document.next_line(max(whole.end_byte - 1, position))
    return position


def end_of_file(layout: Layout) -> Spot:
    """Behind everything, but before the file's data."""
    document = layout.document
    offset = len(document.content)
    for found in _END.finditer(document.lines):
        if found.start() >= document.start and _whole_around(layout, found.start()) is None:
            offset = found.start()
            break
    return Spot(offset, "")


def unit(layout: Layout) -> bytes:
    """One level of the file's indentation."""
    document = layout.document
    for group in layout.groups[1:20]:
        for member in group.members[:1]:
            margin = document.indent_at(group.node.start_byte)
            indent = document.indent_at(member.node.start_byte)
            if len(indent) > len(margin) and indent.startswith(margin):
                return indent[len(margin) :]
    return b"  "


def splice_at(document: Document, spot: Spot, code: str) -> Splice:
    """The code, already in the file's style, apart from its neighbours by one empty line."""
    eol, text, offset = document.eol, code.encode(), spot.offset
    if spot.inline:
        margin = document.indent_at(offset)
        return Splice(offset, eol + text + eol + margin)
    has_gap = False
    if offset < len(document.content) and offset != spot.closes and not document.line_at(offset).strip():
        offset, has_gap = document.next_line(offset), True
    before = document.lines[:offset].rstrip()
    is_first = not before.removeprefix(b"\xef\xbb\xbf")
    opened = has_gap or is_first or document.lines[:offset].endswith((b"\n\n", b"\n\r\n"))
    lead = b"" if opened else eol
    if document.ends_mid_line(offset):
        return Splice(offset, eol + lead + text)
    is_last = offset == spot.closes or not document.lines[offset:].strip()
    return Splice(offset, lead + text + eol + (b"" if is_last else eol))


def _anchor(members: list[Member]) -> int:
    """The last member that holds tests, else the last before a `private`."""
    holding = [index for index, member in enumerate(members) if member.holds_tests]
    methods = [index for index in holding if members[index].test is not None]
    if methods and members[methods[-1]].test.keyword == "def":  # type: ignore[union-attr]
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


def _before_closer(layout: Layout, group: Group, closer: Node, prefix: str) -> Spot | None:
    document = layout.document
    start = document.line_start(closer.start_byte)
    if start > group.node.start_byte and not document.lines[start : closer.start_byte].strip():
        return Spot(start, prefix, closes=start)
    line = document.lines[start : closer.start_byte]
    if b"<<" in line:
        return None  # a heredoc may begin on the line, and what follows the line would be its text
    return Spot(closer.start_byte, prefix, inline=True)


def _indent_of_members(document: Document, group: Group, default: bytes) -> str:
    for member in group.members:
        start = member.node.start_byte
        line_start = document.line_start(start)
        if not document.lines[line_start:start].strip() and line_start > group.node.start_byte:
            return document.lines[line_start:start].decode()
    return default.decode()


def _ends_line(document: Document, offset: int) -> bool:
    """Whether a node that ends there has its line's ending in it, as unfinished ones may."""
    return offset > 0 and document.lines[offset - 1 : offset] == b"\n"


def _whole_around(layout: Layout, offset: int) -> Node | None:
    """The outermost heredoc, string or comment that begins before the offset and ends behind it."""
    cursor = layout.root.walk()
    while cursor.goto_first_child_for_byte(offset) is not None:  # from above: asking for parents takes long
        node = cursor.node
        if node is None or not node.start_byte < offset < node.end_byte:
            break
        if node.type in _WHOLE:
            return node
    return None
