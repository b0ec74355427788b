"""What keeps tests of a file from running."""

from __future__ import annotations

from collections.abc import Iterator

from phases.test_integration.insertion import Notice
from phases.test_integration.javascript.layout import Layout


def file_notices(layout: Layout) -> Iterator[Notice]:
    line = _focused_line(layout)
    if line:
        message = "a test or group is focused (.only): as long as it is, the new test does not run"
        yield Notice("focused_tests", message, line)
    if layout.may_stop is not None:
        message = "the file may return before its last tests"
        yield Notice("module_may_be_skipped", message, layout.may_stop.start_point.row + 1)
    for node in layout.root.named_children:
        if layout.skips_in_hook(node):
            message = "a hook of the file may skip all of its tests"
            yield Notice("module_may_be_skipped", message, node.start_point.row + 1)


def _focused_line(layout: Layout) -> int:
    for group in layout.groups:
        if "only" in group.call.modifiers:
            return group.call.statement.start_point.row + 1
    for call in layout.all_tests():
        if "only" in call.modifiers:
            return call.statement.start_point.row + 1
    return 0
