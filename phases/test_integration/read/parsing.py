"""Parses a target file with the grammar that fits it best, within limits on its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Tree

from phases.test_integration.errors import TargetRejected
from phases.test_integration.read.document import Document, Splice
from phases.test_integration.read.syntax import Grammar, errors

MAX_NODES = 200_000  # of a file's syntax tree, about 20,000 lines of code


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document and its tree; `error_count` is the number of syntax errors in it."""

    document: Document
    tree: Tree
    grammar: Grammar
    error_count: int


def parse_document(document: Document, grammars: Sequence[Grammar]) -> ParsedDocument:
    """Parse with each grammar until one finds no error; keep the one with the fewest errors.

    Raises TargetRejected for a file that is too large or takes too long to parse.
    """
    if sum(map(document.content.count, (b"(", b"[", b"{"))) > MAX_NODES:
        # Checked before parsing: the parser takes 250 bytes for each bracket.
        raise TargetRejected(f"the file is too large: it has more than {MAX_NODES} brackets")
    candidates = []
    for grammar in grammars:
        tree = grammar.parse(document)
        if tree.root_node.descendant_count > MAX_NODES:
            raise TargetRejected(f"the file is too large: its syntax tree has more than {MAX_NODES} nodes")
        candidates.append(ParsedDocument(document, tree, grammar, len(errors(tree))))
        if not candidates[-1].error_count:
            break
    # Of equal counts, the grammar that comes first.
    return min(candidates, key=lambda parsed: parsed.error_count)


def parse_result(before: ParsedDocument, document: Document, splices: tuple[Splice, ...]) -> ParsedDocument:
    """Parse the document that the splices made of `before`, with the same grammar.

    Raises TargetRejected where that takes too long.
    """
    # A copy: `parse_again` edits the tree, and `before` is still needed if the result is rejected.
    tree = before.grammar.parse_again(before.tree.copy(), document, splices, before.document)
    return ParsedDocument(document, tree, before.grammar, len(errors(tree)))
