"""Places in a file, as offsets where a line ends, and text put there with empty lines around it."""

from __future__ import annotations

from dataclasses import dataclass

from phases.test_integration.document import Document, Splice


@dataclass(frozen=True, slots=True)
class Spot:
    """The end of the line that something is put after, and how: `gap` is the number of empty lines around."""

    offset: int
    prefix: str
    gap: int


def splice_at(document: Document, spot: Spot, code: str) -> Splice:
    """The code, already in the file's style, with the empty lines that it needs around it.

    Empty lines that are there count, so that what is inserted begins with code where it can.
    """
    eol = document.eol
    offset, blank = spot.offset, 0
    while blank < spot.gap and offset < len(document.content) and not document.line_at(offset).strip():
        offset, blank = document.next_line(offset), blank + 1
    is_first = not document.lines[:offset].strip()
    before = b"" if is_first else eol * (spot.gap - blank)
    if document.ends_mid_line(offset):
        return Splice(offset, eol + before + code.encode())
    is_last = not document.lines[offset:].strip()
    after_it = eol if is_last else eol * (1 + spot.gap)
    return Splice(offset, before + code.encode() + after_it)
