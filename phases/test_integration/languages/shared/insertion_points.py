"""Finds offsets in a group where a test can be inserted, never inside a statement or a string."""

from __future__ import annotations

import re
from dataclasses import dataclass

from phases.test_integration.languages.shared.outline import Group, Member
from phases.test_integration.read.document import Document, Splice

_CLOSER = re.compile(rb"\s*(?:\}|end\b)")


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """Where a test goes; `prefix` is the indentation of its lines.

    `needs_blank_line`: a blank line goes before it. `splits_line`: other code follows on the same line.
    """

    offset: int
    prefix: str
    needs_blank_line: bool = True
    splits_line: bool = False


def after(document: Document, end: int, prefix: str, comment: re.Pattern[bytes]) -> InsertionPoint:
    """Return the point after `end` and after a comment on the same line."""
    following = document.next_line(end)
    rest = document.lines[end:following].strip()
    if rest and not comment.fullmatch(rest):
        return InsertionPoint(end, prefix, splits_line=True)
    return InsertionPoint(following, prefix)


def inside(document: Document, group: Group, unit: str, comment: re.Pattern[bytes]) -> InsertionPoint:
    """Return the point after the group's last test, else its last function, else its opening line."""
    members = group.tests or list(group.members)
    if members:
        last = members[-1]
        return after(document, last.end, member_margin(document, group, last, unit), comment)
    point = after(document, group.opens, margin(document, group, unit), comment)
    return InsertionPoint(point.offset, point.prefix, needs_blank_line=False, splits_line=point.splits_line)


def member_margin(document: Document, group: Group, member: Member, unit: str) -> str:
    line_start = document.line_start(member.start)
    if document.lines[line_start : member.start].strip():
        return margin(document, group, unit)
    return document.indent_at(member.start).decode()


def margin(document: Document, group: Group, unit: str) -> str:
    return document.indent_at(group.node.start_byte).decode() + unit


def end_of_file(document: Document) -> InsertionPoint:
    return InsertionPoint(len(document.content), "")


def splice_at(document: Document, point: InsertionPoint, code: str) -> Splice:
    """Return the splice of code in the file's style, with the line ends and blank lines it needs."""
    eol, text, offset = document.eol, code.encode(), point.offset
    before = eol if point.needs_blank_line and document.lines[:offset].strip() else b""
    if point.splits_line:
        rest = document.indent_at(offset)
        return Splice(offset, eol + before + text + eol + rest)
    if document.needs_newline_at(offset):
        return Splice(offset, eol + before + text)
    if point.needs_blank_line and offset < len(document.content) and not document.line_at(offset).strip():
        offset = document.next_line(offset)
        before = b""
    following = document.line_at(offset)
    is_last = not following.strip() or _CLOSER.match(following)
    return Splice(offset, before + text + eol * (1 if is_last else 2))
