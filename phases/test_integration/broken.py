"""What can be trusted of a tree with errors: what the file's own indentation says as well."""

from __future__ import annotations

import re

from phases.test_integration.document import Document
from phases.test_integration.errors import TargetRefused

_CLOSES = re.compile(rb"(?:\}|end\b)[\s)\]};,]*(?:(?://|#|/\*)[^\n]*)?")


def doubtful() -> TargetRefused:
    """Where the test would go there may be something else, once the file is mended."""
    return TargetRefused("the file's syntax is broken around its tests: one more could stand amid another")


def check_function(document: Document, start: int, end: int) -> None:
    """Raises TargetRefused unless the function ends as deep as it begins, on a line of its closer."""
    first, last = document.line_start(start), document.line_start(max(end - 1, start))
    is_own = not document.lines[first:start].strip()
    is_even = document.indent_at(start) == document.indent_at(last)
    if not is_own or not is_even or (first != last and not _CLOSES.fullmatch(document.line_at(last).strip())):
        raise doubtful()


def check_end(document: Document) -> None:
    """Raises TargetRefused unless the file's last line closes something in the first column."""
    text = document.lines[document.start :].rstrip()
    last = text[text.rfind(b"\n") + 1 :]
    if text and not _CLOSES.fullmatch(last):
        raise TargetRefused("the file breaks off, and code at its end would stand in what is not closed")
