"""Checks the file that an applied plan gives."""

from __future__ import annotations

from phases.test_integration.plan.protocols import Inserter, Plan, Target
from phases.test_integration.read.document import Document, Span
from phases.test_integration.read.parsing import ParsedDocument, parse_result


def verify_result(
    inserter: Inserter, before: ParsedDocument, document: Document, plan: Plan, spans: tuple[Span, ...]
) -> tuple[ParsedDocument, Target] | None:
    """Parse and read the result; None where it has more syntax errors or lacks a planned test.

    `spans` are the inserted ranges, in the order of the plan's splices. Raises TargetRejected where parsing
    takes too long.
    """
    after = parse_result(before, document, plan.splices)
    if after.error_count > before.error_count:
        return None
    target = inserter.read(document, after.tree)
    return (after, target) if target.has(plan, spans[plan.main]) else None
