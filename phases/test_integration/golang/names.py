"""Names in Go code: which are read, which are bound, and which are fields or keys."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

Surroundings = tuple[Node, ...]  # the innermost first, at most three
_PREDECLARED = (
    "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune "
    "string uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex copy "
    "delete imag len make max min new panic print println real recover _"
)
PREDECLARED = frozenset(_PREDECLARED.split())


def with_surroundings(root: Node) -> Iterator[tuple[Node, Surroundings]]:
    """Every node with what it stands in; asking a node for its parent takes as long as it is deep."""
    stack: list[tuple[Node, Surroundings]] = [(root, ())]
    while stack:
        node, around = stack.pop()
        yield node, around
        within = (node, *around)[:3]
        stack.extend((child, within) for child in reversed(node.children))


def is_top_level(around: Surroundings) -> bool:
    """Whether a variable is declared there by the file, not by a function."""
    outer = [node.type for node in around if node.type not in ("var_spec_list", "var_declaration")]
    return outer[:1] == ["source_file"]


def in_clause(around: Surroundings) -> bool:
    return bool(around) and around[0].type in ("package_clause", "import_spec")


def is_key(around: Surroundings) -> bool:
    """Whether it names a field: the key of a composite literal, which may also be a constant."""
    if len(around) < 2 or around[0].type != "literal_element" or around[1].type != "keyed_element":
        return False
    return around[1].named_children[0] == around[0]


def is_read(node: Node, around: Surroundings) -> bool:
    if not around:
        return False
    parent = around[0]
    if parent.type == "expression_list" and len(around) > 1:
        outer = around[1]
        binds = outer.type in ("short_var_declaration", "range_clause")
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
