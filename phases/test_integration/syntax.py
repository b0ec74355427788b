"""Parsing with tree-sitter, within a time, and what the trees are asked whatever the language."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tree_sitter import Language, Node, Parser, Tree

from phases.test_integration.document import Document, Splice
from phases.test_integration.errors import TargetRefused

LONGEST_PARSE = 0.5  # seconds of the processor, so that a busy machine refuses nothing
MOST_ERRORS = 1000  # a file with more is not looked at further
MOST_PARSING = 1.5  # seconds after which one request has nothing parsed any more
_CHUNK = 1_024  # small: a node's text is read in whole chunks
_latest: ContextVar[float] = ContextVar("latest", default=float("inf"))


@contextmanager
def limited_parsing() -> Iterator[None]:
    """Within it, no parsing goes on after MOST_PARSING; each alone takes at most LONGEST_PARSE."""
    token = _latest.set(time.thread_time() + MOST_PARSING)
    try:
        yield
    finally:
        _latest.reset(token)


class Grammar:
    """One language's parser.

    `explodes` tells of what would take the parser memory without bound before it looks at the time.
    """

    def __init__(self, language: object, explodes: Callable[[bytes], bool] = lambda _: False) -> None:
        self._language = Language(language)
        self._explodes = explodes

    def parse(self, document: Document) -> Tree:
        """Raises TargetRefused where parsing takes too long."""
        return self._parse(document, None)

    def parse_again(self, tree: Tree, document: Document, splices: tuple[Splice, ...], old: Document) -> Tree:
        """The tree of `old` with the splices, which gave `document`; quick where `old` was without errors.

        `tree` must not be used afterwards.
        """
        if tree.root_node.has_error:
            return self._parse(document, None)
        for splice in reversed(splices):
            start = _point(old, splice.offset)
            end = _end_point(start, splice.text)
            tree.edit(splice.offset, splice.offset, splice.offset + len(splice.text), start, start, end)
        return self._parse(document, tree)

    def _parse(self, document: Document, old: Tree | None) -> Tree:
        source = document.lines
        if self._explodes(source):
            raise TargetRefused("the file takes too long to parse")
        deadline = min(time.thread_time() + LONGEST_PARSE, _latest.get())

        def read(offset: int, _: object) -> bytes:
            return source[offset : offset + _CHUNK]

        def is_late(_offset: int, _has_error: bool) -> bool:
            return time.thread_time() > deadline

        parser = Parser(self._language)
        try:
            if old is None:
                return parser.parse(read, progress_callback=is_late)
            return parser.parse(read, old, progress_callback=is_late)
        except ValueError:
            raise TargetRefused("the file takes too long to parse") from None


def walk(root: Node, *, errors_only: bool = False) -> Iterator[Node]:
    """Every node below and with `root`, without recursion; `errors_only` skips what has no error in it."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if not errors_only or node.has_error:
            stack.extend(reversed(node.children))


def rows_begun_in(nodes: Iterable[Node]) -> set[int]:
    """The 0-based rows that begin within these nodes, which come in the order of their beginnings.

    Each row is looked at once, however deep the nodes stand in each other.
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
    """What could not be parsed, in order, at most MOST_ERRORS."""
    found: list[Node] = []
    if tree.root_node.has_error:
        for node in walk(tree.root_node, errors_only=True):
            if node.is_error or node.is_missing:
                found.append(node)
                if len(found) == MOST_ERRORS:
                    break
    return found


def _point(document: Document, offset: int) -> tuple[int, int]:
    return document.row_of(offset), offset - (document.lines.rfind(b"\n", 0, offset) + 1)


def _end_point(start: tuple[int, int], text: bytes) -> tuple[int, int]:
    rows = text.count(b"\n")
    return start[0] + rows, len(text) - text.rfind(b"\n") - 1 if rows else start[1] + len(text)
