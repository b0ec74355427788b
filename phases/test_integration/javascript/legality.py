"""What the grammar lets pass and JavaScript does not: one such statement, and no test of the file runs."""

from __future__ import annotations

from typing import NamedTuple

from tree_sitter import Node

from phases.test_integration.document import Document
from phases.test_integration.javascript.bindings import declared, read_import

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


class _Around(NamedTuple):
    """What a node stands in."""

    is_async: bool = True
    is_generator: bool = False
    in_loop: bool = False
    in_switch: bool = False


def misplaced(document: Document, root: Node) -> str:
    """What is wrong, empty where nothing was found."""
    stack = [(root, _Around())]
    while stack:
        node, around = stack.pop()
        if node.type in _FUNCTIONS:
            marks = [each.type for each in node.children[:4]]
            around = _Around("async" in marks, "*" in marks)
        elif node.type in _LOOPS:
            around = around._replace(in_loop=True)
        elif node.type == "switch_statement":
            around = around._replace(in_switch=True)
        wrong = _wrong(document, node, around)
        if wrong:
            return f"{wrong}, line {node.start_point.row + 1}"
        stack += [(each, around) for each in node.named_children]
    return ""


def _wrong(document: Document, node: Node, around: _Around) -> str:
    if node.type == "await_expression" and not around.is_async:
        return "await in a function that is not async"
    if node.type == "yield_expression" and not around.is_generator:
        return "yield outside of a generator"
    if node.type == "break_statement" and not (around.in_loop or around.in_switch or node.named_children):
        return "break outside of a loop"
    if node.type == "continue_statement" and not around.in_loop:
        return "continue outside of a loop"
    if node.type in _SCOPES and (twice := _declared_twice(document, node)):
        return f"{twice[:80]} is declared twice"
    return ""


def _declared_twice(document: Document, scope: Node) -> str:
    lexical: set[str] = set()
    others: set[str] = set()
    for statement in scope.named_children:
        if statement.type in ("variable_declaration", "function_declaration"):
            loose = set(declared(document, statement))
            if clash := loose & lexical:
                return min(clash)
            others |= loose
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
