"""Classifies names in Go code: read, bound, or field and key."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

Ancestors = tuple[Node, ...]  # the innermost first, at most three
_PREDECLARED = (
    "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune "
    "string uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex copy "
    "delete imag len make max min new panic print println real recover _"
)
PREDECLARED = frozenset(_PREDECLARED.split())


def walk_with_ancestors(root: Node) -> Iterator[tuple[Node, Ancestors]]:
    """Yield every node with its ancestors; `node.parent` takes time that grows with the depth."""
    stack: list[tuple[Node, Ancestors]] = [(root, ())]
    while stack:
        node, ancestors = stack.pop()
        yield node, ancestors
        within = (node, *ancestors)[:3]
        stack.extend((child, within) for child in reversed(node.children))


def is_top_level(ancestors: Ancestors) -> bool:
    """Return whether a variable is declared at file level, not in a function."""
    outer = [node.type for node in ancestors if node.type not in ("var_spec_list", "var_declaration")]
    return outer[:1] == ["source_file"]


def in_clause(ancestors: Ancestors) -> bool:
    return bool(ancestors) and ancestors[0].type in ("package_clause", "import_spec")


def is_key(ancestors: Ancestors) -> bool:
    """Return whether the node is the key of a composite literal: a field, or possibly a constant."""
    if len(ancestors) < 2 or ancestors[0].type != "literal_element" or ancestors[1].type != "keyed_element":
        return False
    return ancestors[1].named_children[0] == ancestors[0]


def is_read(node: Node, ancestors: Ancestors) -> bool:
    """Return whether the identifier is read at its position, not declared or assigned."""
    if not ancestors:
        return False
    parent = ancestors[0]
    if parent.type == "expression_list" and len(ancestors) > 1:
        outer = ancestors[1]
        binds = outer.type in ("short_var_declaration", "range_clause")
        # `x += 1` reads x, `x = 1` does not.
        binds = binds or (outer.type == "assignment_statement" and _operator(outer) in (b"", b"="))
        return not (binds and outer.child_by_field_name("left") == parent)
    if parent.type in ("parameter_declaration", "variadic_parameter_declaration", "var_spec", "const_spec"):
        return node not in parent.children_by_field_name("name")
    if parent.type in ("function_declaration", "type_spec", "type_alias", "method_declaration"):
        return node != parent.child_by_field_name("name")
    return not parent.type.startswith("label")


def _operator(assignment: Node) -> bytes:
    operator = assignment.child_by_field_name("operator")
    return (operator.text or b"") if operator is not None else b""
