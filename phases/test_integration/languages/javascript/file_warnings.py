"""Warnings about a JavaScript file whose tests may not run."""

from __future__ import annotations

from collections.abc import Iterator

from phases.test_integration.languages.javascript.outline import Outline
from phases.test_integration.plan.protocols import InsertionWarning


def find_file_warnings(outline: Outline) -> Iterator[InsertionWarning]:
    """Yield warnings for focused tests, early returns and hooks that may skip the file's tests."""
    line = _focused_line(outline)
    if line:
        message = "a test or group is focused (.only): as long as it is, the new test does not run"
        yield InsertionWarning("focused_tests", message, line)
    if outline.may_stop is not None:
        message = "the file may return before its last tests"
        yield InsertionWarning("module_may_be_skipped", message, outline.may_stop.start_point.row + 1)
    for node in outline.root.named_children:
        if outline.skips_in_hook(node):
            message = "a hook of the file may skip all of its tests"
            yield InsertionWarning("module_may_be_skipped", message, node.start_point.row + 1)


def _focused_line(outline: Outline) -> int:
    for group in outline.groups:
        if "only" in group.call.modifiers:
            return group.call.statement.start_point.row + 1
    for call in outline.all_tests():
        if "only" in call.modifiers:
            return call.statement.start_point.row + 1
    return 0
