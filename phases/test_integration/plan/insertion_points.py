"""Insertion points at line ends, and the splices that add text there with blank lines around it."""

from __future__ import annotations

from dataclasses import dataclass

from phases.test_integration.read.document import Document, Splice


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """The end of a line, the indentation of what goes there, and the number of blank lines around it."""

    offset: int
    prefix: str
    blank_lines: int


def splice_at(document: Document, point: InsertionPoint, code: str) -> Splice:
    """Return the splice of code in the file's style, with the blank lines it needs.

    Blank lines that exist count, so that the inserted text starts with code where possible.
    """
    eol = document.eol
    offset, blank = point.offset, 0
    while (
        blank < point.blank_lines and offset < len(document.content) and not document.line_at(offset).strip()
    ):
        offset, blank = document.next_line(offset), blank + 1
    is_first = not document.lines[:offset].strip()
    before = b"" if is_first else eol * (point.blank_lines - blank)
    if document.needs_newline_at(offset):
        return Splice(offset, eol + before + code.encode())
    is_last = not document.lines[offset:].strip()
    after_it = eol if is_last else eol * (1 + point.blank_lines)
    return Splice(offset, before + code.encode() + after_it)
