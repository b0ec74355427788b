"""Checks whether a position is safe in a file with syntax errors, by the file's own indentation."""

from __future__ import annotations

import re

from phases.test_integration.errors import TargetRejected
from phases.test_integration.read.document import Document

_CLOSES = re.compile(rb"(?:\}|end\b)[\s)\]};,]*(?:(?://|#|/\*)[^\n]*)?")


def unsafe_position() -> TargetRejected:
    """Return the error for a position that may turn out to be inside other code."""
    return TargetRejected("the file's syntax is broken around its tests: one more could stand amid another")


def check_function(document: Document, start: int, end: int) -> None:
    """Raise TargetRejected unless the function's last line closes it at its indentation."""
    first, last = document.line_start(start), document.line_start(max(end - 1, start))
    is_own = not document.lines[first:start].strip()
    is_aligned = document.indent_at(start) == document.indent_at(last)
    if (
        not is_own
        or not is_aligned
        or (first != last and not _CLOSES.fullmatch(document.line_at(last).strip()))
    ):
        raise unsafe_position()


def check_file_end(document: Document) -> None:
    """Raises TargetRejected unless the file's last line closes something in the first column."""
    text = document.lines[document.start :].rstrip()
    last = text[text.rfind(b"\n") + 1 :]
    if text and not _CLOSES.fullmatch(last):
        raise TargetRejected("the file breaks off, and code at its end would stand in what is not closed")
