"""What keeps tests of a Ruby file from running."""

from __future__ import annotations

import re

from phases.test_integration.insertion import Notice
from phases.test_integration.ruby.layout import Layout

_LEAVES = re.compile(r"(?:return|exit!?|abort)\b")
_CONDITION = re.compile(r"\b(?:if|unless)\b")


def of_file(layout: Layout) -> tuple[Notice, ...]:
    found = []
    for member in layout.file.members:
        node = member.node
        if node.type not in ("identifier", "call", "return", "if_modifier", "unless_modifier"):
            continue
        text = layout.document.lines[node.start_byte : min(node.end_byte, node.start_byte + 200)].decode(
            errors="replace"
        )
        if not _LEAVES.match(text):
            continue
        line = node.start_point.row + 1
        if _CONDITION.search(text):
            found.append(Notice("module_may_be_skipped", "the file skips its tests under a condition", line))
        else:
            found.append(Notice("module_skipped", "the file skips all of its tests, new ones too", line))
    if layout.focused:
        line = min(node.start_point.row for node in layout.focused) + 1
        message = "a focused test stands elsewhere in the file: where focus filters, new ones do not run"
        found.append(Notice("focused_elsewhere", message, line))
    return tuple(found)
