"""Runs an insertion: read the file, plan each test, apply the plan, verify the result.

Where the result of a plan by the syntax tree fails its checks, the test is appended; where that fails too,
the file is rejected.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from phases.test_integration.apply.edits import apply_splices, merge_spans, shift_offset
from phases.test_integration.errors import TargetRejected
from phases.test_integration.plan.protocols import Inserter, InsertionWarning, Plan, Target
from phases.test_integration.read.document import Document, Span
from phases.test_integration.read.parsing import ParsedDocument, parse_document
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.read.syntax import errors, limited_parsing
from phases.test_integration.verify.result import verify_result

# CPU time after which one request starts no further test, so that no request blocks a worker.
MAX_INSERTION_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class ReportedPosition:
    """What the API reports as `insertionPoint`.

    `line` is the 1-based line of the first inserted line in the result.
    """

    line: int
    strategy: str
    parent: str


@dataclass(frozen=True, slots=True)
class Integration:
    """The file with its new tests.

    `method` is `ast` or `append`. `point` is the first test's, None where a test was appended. `inserted`
    are the new ranges of bytes, in order: without them the result, encoded as UTF-8, is the old file.
    """

    content: str
    method: str
    point: ReportedPosition | None
    inserted: tuple[Span, ...]
    warnings: tuple[InsertionWarning, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """The file as it is now, parsed and read by its framework."""

    parsed: ParsedDocument
    target: Target


@dataclass(frozen=True, slots=True)
class _Insertion:
    """One inserted test; `offset` is where it starts in the newest document."""

    plan: Plan
    method: str
    offset: int


def integrate(inserter: Inserter, text: str, red_tests: Sequence[RedTest]) -> Integration:
    """Insert every test into the file, in order. Repeating it on its own result changes nothing.

    Raises TargetRejected where no insertion is safe, InvalidTestCode where a test is not valid code.
    """
    with limited_parsing():
        return _integrate(inserter, text, red_tests)


def _integrate(inserter: Inserter, text: str, red_tests: Sequence[RedTest]) -> Integration:
    # CPU time of this thread, so that a busy machine changes no answer.
    began = time.thread_time()
    state = _read(inserter, Document.of(text))
    warnings = [*_syntax_warnings(state.parsed), *state.target.warnings]
    spans: tuple[Span, ...] = ()
    insertions: list[_Insertion] = []
    for red_test in red_tests:
        if time.thread_time() - began > MAX_INSERTION_SECONDS:
            raise TargetRejected("these tests take too long in this file: send fewer of them at once")
        state, insertion, new_spans = _insert(inserter, state, red_test)
        spans = merge_spans(spans, new_spans)
        insertions = [_moved(earlier, new_spans) for earlier in insertions] + [insertion]
        warnings += insertion.plan.warnings
    is_appended = any(each.method == "append" for each in insertions)
    document = state.parsed.document
    return Integration(
        content=document.content.decode(),
        method="append" if is_appended else "ast",
        point=None if is_appended else _position(document, insertions[0]),
        inserted=spans,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _read(inserter: Inserter, document: Document) -> _State:
    parsed = parse_document(document, inserter.grammars)
    return _State(parsed, inserter.read(document, parsed.tree))


def _insert(
    inserter: Inserter, state: _State, red_test: RedTest
) -> tuple[_State, _Insertion, tuple[Span, ...]]:
    """Insert one test: by its plan, else appended. Raises TargetRejected where both fail their checks."""
    plan = state.target.plan(red_test)
    if not plan.splices:
        return state, _Insertion(plan, "ast", plan.existing), ()
    method = "ast" if state.target.has_tests else "append"
    done = _apply(inserter, state, plan)
    if done is None:
        plan, method = state.target.plan_append(red_test), "append"
        done = _apply(inserter, state, plan)
    if done is None:
        raise TargetRejected("the file's syntax is broken where a test could go; adding one would break more")
    after, spans = done
    return after, _Insertion(plan, method, spans[plan.main].start), spans


def _apply(inserter: Inserter, state: _State, plan: Plan) -> tuple[_State, tuple[Span, ...]] | None:
    """Apply the plan; None where the result fails its checks."""
    document, spans = apply_splices(state.parsed.document, plan.splices)
    verified = verify_result(inserter, state.parsed, document, plan, spans)
    return (_State(*verified), spans) if verified else None


def _syntax_warnings(parsed: ParsedDocument) -> list[InsertionWarning]:
    found = errors(parsed.tree)
    if not found:
        return []
    line = parsed.document.row_of(found[0].start_byte) + 1
    message = f"the parser stumbles near line {line}: if that is an error, no test of the file runs"
    return [InsertionWarning("target_has_errors", message, line)]


def _position(document: Document, insertion: _Insertion) -> ReportedPosition:
    plan, offset = insertion.plan, insertion.offset
    if plan.splices and document.lines[offset : offset + 1] in (b"\n", b"\r"):
        # A splice after a last line without newline starts by ending that line.
        before = document.lines[:offset].rpartition(b"\n")[2]
        offset = document.next_line(offset) if before.strip() else offset
    return ReportedPosition(document.row_of(offset) + 1, plan.strategy, plan.parent or "module")


def _moved(insertion: _Insertion, new_spans: tuple[Span, ...]) -> _Insertion:
    return replace(insertion, offset=shift_offset(insertion.offset, new_spans))
