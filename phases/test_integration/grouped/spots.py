"""Places in a group where a test can stand, as offsets that never fall into a statement or a string."""

from __future__ import annotations

import re
from dataclasses import dataclass

from phases.test_integration.document import Document, Splice
from phases.test_integration.grouped.outline import Group, Member

_CLOSER = re.compile(rb"\s*(?:\}|end\b)")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a test goes, and the white space before its lines.

    `is_apart` asks for an empty line before it; `splits` says that the line goes on behind the spot.
    """

    offset: int
    prefix: str
    is_apart: bool = True
    splits: bool = False


def behind(document: Document, end: int, prefix: str, comment: re.Pattern[bytes]) -> Spot:
    """Behind what ends there, and behind a comment on the same line."""
    following = document.next_line(end)
    rest = document.lines[end:following].strip()
    if rest and not comment.fullmatch(rest):
        return Spot(end, prefix, splits=True)
    return Spot(following, prefix)


def inside(document: Document, group: Group, unit: str, comment: re.Pattern[bytes]) -> Spot:
    """Behind the group's last test, else behind its last function, else behind its opener."""
    members = group.tests or list(group.members)
    if members:
        last = members[-1]
        return behind(document, last.end, member_margin(document, group, last, unit), comment)
    spot = behind(document, group.opens, margin(document, group, unit), comment)
    return Spot(spot.offset, spot.prefix, is_apart=False, splits=spot.splits)


def member_margin(document: Document, group: Group, member: Member, unit: str) -> str:
    line_start = document.line_start(member.start)
    if document.lines[line_start : member.start].strip():
        return margin(document, group, unit)
    return document.indent_at(member.start).decode()


def margin(document: Document, group: Group, unit: str) -> str:
    return document.indent_at(group.node.start_byte).decode() + unit


def end_of_file(document: Document) -> Spot:
    return Spot(len(document.content), "")


def splice_at(document: Document, spot: Spot, code: str) -> Splice:
    """The code, already in the file's style, with the line ends and empty lines that it needs."""
    eol, text, offset = document.eol, code.encode(), spot.offset
    before = eol if spot.is_apart and document.lines[:offset].strip() else b""
    if spot.splits:
        rest = document.indent_at(offset)
        return Splice(offset, eol + before + text + eol + rest)
    if document.ends_mid_line(offset):
        return Splice(offset, eol + before + text)
    if spot.is_apart and offset < len(document.content) and not document.line_at(offset).strip():
        offset = document.next_line(offset)
        before = b""
    following = document.line_at(offset)
    is_last = not following.strip() or _CLOSER.match(following)
    return Splice(offset, before + text + eol * (1 if is_last else 2))
