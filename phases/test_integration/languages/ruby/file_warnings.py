"""Warnings about a Ruby file whose tests may not run."""

from __future__ import annotations

import re

from phases.test_integration.languages.ruby.outline import Outline
from phases.test_integration.plan.protocols import InsertionWarning

_MAY_EXIT = re.compile(r"(?:return|exit!?|abort)\b")
_CONDITION = re.compile(r"\b(?:if|unless)\b")


def find_file_warnings(outline: Outline) -> tuple[InsertionWarning, ...]:
    """Return warnings for early exits and for focused tests."""
    found = []
    for member in outline.file.members:
        node = member.node
        if node.type not in ("identifier", "call", "return", "if_modifier", "unless_modifier"):
            continue
        text = outline.document.lines[node.start_byte : min(node.end_byte, node.start_byte + 200)].decode(
            errors="replace"
        )
        if not _MAY_EXIT.match(text):
            continue
        line = node.start_point.row + 1
        if _CONDITION.search(text):
            found.append(
                InsertionWarning("module_may_be_skipped", "the file skips its tests under a condition", line)
            )
        else:
            found.append(
                InsertionWarning("module_skipped", "the file skips all of its tests, new ones too", line)
            )
    if outline.focused:
        line = min(node.start_point.row for node in outline.focused) + 1
        message = "a focused test stands elsewhere in the file: where focus filters, new ones do not run"
        found.append(InsertionWarning("focused_elsewhere", message, line))
    return tuple(found)
