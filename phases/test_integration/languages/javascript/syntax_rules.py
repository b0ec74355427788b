"""Checks rules that the grammar ignores; one violation stops every test of the file from running."""

from __future__ import annotations

from typing import NamedTuple

from tree_sitter import Node

from phases.test_integration.languages.javascript.bindings import declared, read_import
from phases.test_integration.read.document import Document

_FUNCTIONS = {
    "arrow_function",
    "function_expression",
    "function_declaration",
    "generator_function",
    "generator_function_declaration",
    "method_definition",
}
_LOOPS = {"for_statement", "for_in_statement", "while_statement", "do_statement"}
_LEXICAL = {"lexical_declaration", "class_declaration"}
_SCOPES = {"program", "statement_block"}


class _Enclosing(NamedTuple):
    """What encloses a node."""

    is_async: bool = True
    is_generator: bool = False
    in_loop: bool = False
    in_switch: bool = False


def find_violation(document: Document, root: Node) -> str:
    """Return a description of the first violation, empty where there is none."""
    stack = [(root, _Enclosing())]
    while stack:
        node, enclosing = stack.pop()
        if node.type in _FUNCTIONS:
            keywords = [each.type for each in node.children[:4]]
            enclosing = _Enclosing("async" in keywords, "*" in keywords)
        elif node.type in _LOOPS:
            enclosing = enclosing._replace(in_loop=True)
        elif node.type == "switch_statement":
            enclosing = enclosing._replace(in_switch=True)
        wrong = _wrong(document, node, enclosing)
        if wrong:
            return f"{wrong}, line {node.start_point.row + 1}"
        stack += [(each, enclosing) for each in node.named_children]
    return ""


def _wrong(document: Document, node: Node, enclosing: _Enclosing) -> str:
    if node.type == "await_expression" and not enclosing.is_async:
        return "await in a function that is not async"
    if node.type == "yield_expression" and not enclosing.is_generator:
        return "yield outside of a generator"
    if node.type == "break_statement" and not (
        enclosing.in_loop or enclosing.in_switch or node.named_children
    ):
        return "break outside of a loop"
    if node.type == "continue_statement" and not enclosing.in_loop:
        return "continue outside of a loop"
    if node.type in _SCOPES and (twice := _declared_twice(document, node)):
        return f"{twice[:80]} is declared twice"
    return ""


def _declared_twice(document: Document, scope: Node) -> str:
    """Return a name that the scope declares twice, empty where there is none."""
    lexical: set[str] = set()
    others: set[str] = set()
    for statement in scope.named_children:
        if statement.type in ("variable_declaration", "function_declaration"):
            var_names = set(declared(document, statement))
            if clash := var_names & lexical:
                return min(clash)
            others |= var_names
            continue
        names: list[str] = []
        if statement.type in _LEXICAL:
            names = list(declared(document, statement))
        elif statement.type == "import_statement":
            names = [name for each in read_import(document, statement) for name in each.names]
        for name in names:
            if name in lexical or name in others:
                return name
            lexical.add(name)
    return ""
