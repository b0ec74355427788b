"""Parses with tree-sitter under time limits; helpers for syntax trees of any language."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tree_sitter import Language, Node, Parser, Tree

from phases.test_integration.errors import TargetRejected
from phases.test_integration.read.document import Document, Splice

MAX_PARSE_SECONDS = 0.5  # of CPU time, so that a busy machine rejects nothing
MAX_ERRORS = 1000  # further errors are not counted
MAX_TOTAL_PARSE_SECONDS = 1.5  # of CPU time for all parsing of one request
_CHUNK = 1_024  # bytes; tree-sitter reads whole chunks
_parse_deadline: ContextVar[float] = ContextVar("latest", default=float("inf"))


@contextmanager
def limited_parsing() -> Iterator[None]:
    """Limit parsing inside the block to MAX_TOTAL_PARSE_SECONDS, and each parse to MAX_PARSE_SECONDS."""
    token = _parse_deadline.set(time.thread_time() + MAX_TOTAL_PARSE_SECONDS)
    try:
        yield
    finally:
        _parse_deadline.reset(token)


class Grammar:
    """One language's parser.

    `is_pathological` detects sources for which the parser takes unbounded memory before it checks its
    deadline.
    """

    def __init__(self, language: object, is_pathological: Callable[[bytes], bool] = lambda _: False) -> None:
        self._language = Language(language)
        self._is_pathological = is_pathological

    def parse(self, document: Document) -> Tree:
        """Raises TargetRejected where parsing takes too long."""
        return self._parse(document, None)

    def parse_again(self, tree: Tree, document: Document, splices: tuple[Splice, ...], old: Document) -> Tree:
        """Parse `document`, made from `old` by the splices; fast where `old` has no errors.

        `tree`, that of `old`, must not be used afterwards. Raises TargetRejected where parsing takes too
        long.
        """
        if tree.root_node.has_error:
            return self._parse(document, None)
        # Backwards, so that the offsets of the splices before it stay those of `old`.
        for splice in reversed(splices):
            start = _point(old, splice.offset)
            end = _end_point(start, splice.text)
            tree.edit(splice.offset, splice.offset, splice.offset + len(splice.text), start, start, end)
        return self._parse(document, tree)

    def _parse(self, document: Document, old: Tree | None) -> Tree:
        """Parse with a deadline; raises TargetRejected where the parser exceeds it."""
        source = document.lines
        if self._is_pathological(source):
            raise TargetRejected("the file takes too long to parse")
        deadline = min(time.thread_time() + MAX_PARSE_SECONDS, _parse_deadline.get())

        def read(offset: int, _: object) -> bytes:
            return source[offset : offset + _CHUNK]

        def is_late(_offset: int, _has_error: bool) -> bool:
            return time.thread_time() > deadline

        parser = Parser(self._language)
        try:
            if old is None:
                return parser.parse(read, progress_callback=is_late)
            return parser.parse(read, old, progress_callback=is_late)
        # tree-sitter raises ValueError when the callback stops it.
        except ValueError:
            raise TargetRejected("the file takes too long to parse") from None


def walk(root: Node, *, errors_only: bool = False) -> Iterator[Node]:
    """Yield `root` and every node below it, without recursion; `errors_only` skips error-free subtrees."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if not errors_only or node.has_error:
            stack.extend(reversed(node.children))


def rows_starting_in(nodes: Iterable[Node]) -> set[int]:
    """Return the 0-based rows that start inside these nodes, which must be in order of their start.

    Each row is visited once, however deep the nodes are nested.
    """
    rows: set[int] = set()
    reached = 0
    for node in nodes:
        start, end = max(node.start_point.row + 1, reached), node.end_point.row + 1
        if start < end:
            rows.update(range(start, end))
            reached = end
    return rows


def errors(tree: Tree) -> list[Node]:
    """Return the error and missing nodes in order, at most MAX_ERRORS."""
    found: list[Node] = []
    if tree.root_node.has_error:
        for node in walk(tree.root_node, errors_only=True):
            if node.is_error or node.is_missing:
                found.append(node)
                if len(found) == MAX_ERRORS:
                    break
    return found


def _point(document: Document, offset: int) -> tuple[int, int]:
    return document.row_of(offset), offset - (document.lines.rfind(b"\n", 0, offset) + 1)


def _end_point(start: tuple[int, int], text: bytes) -> tuple[int, int]:
    rows = text.count(b"\n")
    return start[0] + rows, len(text) - text.rfind(b"\n") - 1 if rows else start[1] + len(text)
