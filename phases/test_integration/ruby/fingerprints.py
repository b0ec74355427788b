"""What makes two tests the same test, however they are named, laid out and commented."""

from __future__ import annotations

from collections.abc import Iterable

from tree_sitter import Node

from phases.test_integration.document import Document
from phases.test_integration.ruby.layout import text_of
from phases.test_integration.ruby.snippet import REQUIRES

_IGNORED = {"comment", ";", "then", "begin", "end"}  # words and signs, which have no children, too


def fingerprint(document: Document, nodes: Iterable[Node]) -> str:
    """Equal for statements that do the same: comments, layout, kinds of quotes and requires aside."""
    pieces: list[str] = []
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        if _is_require(document, node) or (node.type in _IGNORED and not node.children):
            continue
        if node.children:
            stack.extend(reversed(node.children))
        else:
            text = text_of(document, node)
            pieces.append('"' if text == "'" else text)
    return "\x1f".join(pieces).replace("\r\n", "\n")


def _is_require(document: Document, node: Node) -> bool:
    method = node.child_by_field_name("method") if node.type == "call" else None
    return method is not None and text_of(document, method) in REQUIRES
