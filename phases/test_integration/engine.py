"""Inserts tests by the syntax tree, checks the result, and appends or refuses where that fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tree_sitter import Tree

from phases.test_integration.document import Document, Span
from phases.test_integration.errors import TargetRefused
from phases.test_integration.insertion import Inserter, Notice, Plan, Target
from phases.test_integration.red_tests import RedTest
from phases.test_integration.syntax import Grammar, errors, limited_parsing

# No worker is held up by one request: so large may a file's tree be that is read, some 20,000 lines of code,
# and after so much of the processor's time no further test is begun.
MOST_NODES = 200_000
MOST_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """`line` is the 1-based line of the first inserted line in the result."""

    line: int
    strategy: str
    parent: str


@dataclass(frozen=True, slots=True)
class Integration:
    """The file with its new tests.

    `point` is the first test's, None where it was appended. `inserted` are the new ranges of bytes, in
    order: without them the result, encoded as UTF-8, is the old file.
    """

    content: str
    method: str
    point: InsertionPoint | None
    inserted: tuple[Span, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """A document and what is known of it."""

    document: Document
    tree: Tree
    grammar: Grammar
    target: Target
    error_count: int


@dataclass(frozen=True, slots=True)
class _Step:
    plan: Plan
    method: str
    offset: int


def integrate(inserter: Inserter, text: str, red_tests: Sequence[RedTest]) -> Integration:
    """Puts every test into the file, in order. The same again on its result changes nothing.

    Raises TargetRefused where no way does no harm, InvalidTestCode where a test is no code.
    """
    with limited_parsing():
        return _integrate(inserter, text, red_tests)


def _integrate(inserter: Inserter, text: str, red_tests: Sequence[RedTest]) -> Integration:
    began = time.thread_time()
    state = _open(inserter, Document.of(text))
    notices = [*_broken(state), *state.target.notices]
    spans: tuple[Span, ...] = ()
    steps: list[_Step] = []
    for red_test in red_tests:
        if time.thread_time() - began > MOST_SECONDS:
            raise TargetRefused("these tests take too long in this file: send fewer of them at once")
        state, step, new_spans = _insert(inserter, state, red_test)
        spans = _merge(spans, new_spans)
        steps = [_moved(earlier, new_spans) for earlier in steps] + [step]
        notices += step.plan.notices
    methods = {step.method for step in steps}
    return Integration(
        content=state.document.content.decode(),
        method="append" if "append" in methods else "ast",
        point=None if "append" in methods else _point(state.document, steps[0]),
        inserted=spans,
        notices=tuple(dict.fromkeys(notices)),
    )


def _open(inserter: Inserter, document: Document) -> _State:
    states = []
    if sum(map(document.content.count, (b"(", b"[", b"{"))) > MOST_NODES:
        # Before the parser takes 250 bytes for each of them.
        raise TargetRefused(f"the file is too large: it has more than {MOST_NODES} brackets")
    for grammar in inserter.grammars:
        tree = grammar.parse(document)
        if tree.root_node.descendant_count > MOST_NODES:
            raise TargetRefused(f"the file is too large: its syntax tree has more than {MOST_NODES} nodes")
        states.append((len(errors(tree)), tree, grammar))
        if not states[-1][0]:
            break
    count, tree, grammar = min(states, key=lambda state: state[0])
    return _State(document, tree, grammar, inserter.read(document, tree), count)


def _insert(inserter: Inserter, state: _State, red_test: RedTest) -> tuple[_State, _Step, tuple[Span, ...]]:
    plan = state.target.plan(red_test)
    if not plan.splices:
        return state, _Step(plan, "ast", plan.existing), ()
    method = "ast" if state.target.has_tests else "append"
    done = _apply(inserter, state, plan)
    if done is None:
        plan, method = state.target.plan_append(red_test), "append"
        done = _apply(inserter, state, plan)
    if done is None:
        raise TargetRefused("the file's syntax is broken where a test could go; adding one would break more")
    after, spans = done
    return after, _Step(plan, method, spans[plan.main].start), spans


def _apply(inserter: Inserter, state: _State, plan: Plan) -> tuple[_State, tuple[Span, ...]] | None:
    """The file with the plan carried out, None where the result is not what was meant."""
    document, spans = state.document.spliced(plan.splices)
    tree = state.grammar.parse_again(state.tree.copy(), document, plan.splices, state.document)
    count = len(errors(tree))
    if count > state.error_count:
        return None
    target = inserter.read(document, tree)
    if not target.has(plan, spans[plan.main]):
        return None
    return _State(document, tree, state.grammar, target, count), spans


def _broken(state: _State) -> list[Notice]:
    found = errors(state.tree)
    if not found:
        return []
    line = state.document.row_of(found[0].start_byte) + 1
    message = f"the parser stumbles near line {line}: if that is an error, no test of the file runs"
    return [Notice("target_has_errors", message, line)]


def _point(document: Document, step: _Step) -> InsertionPoint:
    offset = step.offset
    if step.plan.splices and document.lines[offset : offset + 1] in (b"\n", b"\r"):
        # What was put behind a last line without newline begins by ending that line.
        before = document.lines[:offset].rpartition(b"\n")[2]
        offset = document.next_line(offset) if before.strip() else offset
    return InsertionPoint(document.row_of(offset) + 1, step.plan.strategy, step.plan.parent or "module")


def _moved(step: _Step, new_spans: tuple[Span, ...]) -> _Step:
    return replace(step, offset=_shift(step.offset, new_spans))


def _shift(offset: int, new_spans: tuple[Span, ...]) -> int:
    """Where the byte of that offset is, now that the new spans are in."""
    for span in new_spans:
        if span.start <= offset:
            offset += span.end - span.start
    return offset


def _merge(spans: tuple[Span, ...], new_spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """All spans in the coordinates of the newest document; a span that was inserted into grows."""
    merged = [Span(_shift(span.start, new_spans), _shift(span.end - 1, new_spans) + 1) for span in spans]
    inside = [
        new for new in new_spans if any(old.start <= new.start and new.end <= old.end for old in merged)
    ]
    return tuple(
        sorted((*merged, *(new for new in new_spans if new not in inside)), key=lambda span: span.start)
    )
