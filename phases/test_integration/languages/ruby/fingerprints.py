"""Fingerprints that are equal for the same test, whatever its name, layout and comments."""

from __future__ import annotations

from collections.abc import Iterable

from tree_sitter import Node

from phases.test_integration.languages.ruby.outline import text_of
from phases.test_integration.languages.ruby.snippet import REQUIRES
from phases.test_integration.read.document import Document

_IGNORED = {"comment", ";", "then", "begin", "end"}  # keywords and punctuation without children


def fingerprint(document: Document, nodes: Iterable[Node]) -> str:
    """Return the same value for statements that differ only in comments, layout, quotes or requires."""
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
