"""Finds the names that a statement binds, and the modules that imports come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from phases.test_integration.read.document import Document

DECLARATIONS = {
    "function_declaration",
    "generator_function_declaration",
    "class_declaration",
    "abstract_class_declaration",
    "enum_declaration",
    "interface_declaration",
    "type_alias_declaration",
    "function_signature",
    "internal_module",
    "module",
}
VARIABLES = {"lexical_declaration", "variable_declaration"}


@dataclass(slots=True)
class Import:
    """One import or require.

    `names` maps each bound name to its name in the module: `default`, `*`, or an export. `last` is the last
    name in braces; further names can be added after it.
    """

    node: Node
    source: str
    is_require: bool
    is_type: bool = False
    names: dict[str, str] = field(default_factory=dict)
    last: Node | None = None


def text_of(document: Document, node: Node) -> str:
    return document.content[node.start_byte : node.end_byte].decode(errors="replace")


def read_import(document: Document, node: Node) -> list[Import]:
    """Return the imports of a statement, often none."""
    if node.type == "import_statement":
        return list(_import(document, node))
    if node.type in VARIABLES:
        found = (
            _require(document, node, child)
            for child in node.named_children
            if child.type.endswith("declarator")
        )
        return [each for each in found if each]
    return []


def declared(document: Document, statement: Node) -> Iterator[str]:
    """Yield the names that a statement binds in its own scope."""
    node: Node | None = statement
    while node is not None and node.type in ("export_statement", "ambient_declaration"):
        node = node.child_by_field_name("declaration") or next(iter(node.named_children), None)
    if node is None:
        return
    if node.type == "expression_statement" and node.named_children:
        node = node.named_children[0]
    if node.type in VARIABLES:
        for child in node.named_children:
            if child.type == "variable_declarator":
                yield from pattern_names(document, child.child_by_field_name("name"))
    elif node.type in DECLARATIONS:
        yield from pattern_names(document, node.child_by_field_name("name"))
    elif node.type == "import_statement":
        for each in _import(document, node):
            yield from each.names


def pattern_names(document: Document, pattern: Node | None) -> Iterator[str]:
    """Yield the names that a declaration's pattern binds, destructuring included."""
    stack = [pattern] if pattern else []
    while stack:
        node = stack.pop()
        if node.type in ("identifier", "shorthand_property_identifier_pattern", "type_identifier"):
            yield text_of(document, node)
        elif node.type == "pair_pattern":
            stack += filter(None, [node.child_by_field_name("value")])
        elif node.type in ("assignment_pattern", "object_assignment_pattern"):
            stack += filter(None, [node.child_by_field_name("left")])
        elif node.type in ("required_parameter", "optional_parameter"):
            stack += filter(None, [node.child_by_field_name("pattern")])
        else:
            stack += node.named_children


def _import(document: Document, node: Node) -> Iterator[Import]:
    """Read an import statement, also TypeScript's `import x = require('...')`."""
    source = node.child_by_field_name("source")
    is_type = any(child.type in ("type", "typeof") for child in node.children[1:2])
    for clause in node.named_children:
        if clause.type == "import_require_clause":
            inner = clause.child_by_field_name("source")
            bound = text_of(document, clause.named_children[0])
            yield Import(node, _string(document, inner), True, names={bound: "*"})
            return
    found = Import(node, _string(document, source), False, is_type)
    for clause in node.named_children:
        for part in clause.named_children if clause.type == "import_clause" else ():
            if part.type == "identifier":
                found.names[text_of(document, part)] = "default"
            elif part.type == "namespace_import" and part.named_children:
                found.names[text_of(document, part.named_children[0])] = "*"
            for specifier in part.named_children if part.type == "named_imports" else ():
                name = specifier.child_by_field_name("name")
                if name is not None:
                    alias = specifier.child_by_field_name("alias") or name
                    found.names[text_of(document, alias)] = text_of(document, name)
                    found.last = specifier
    yield found


def _require(document: Document, statement: Node, declarator: Node) -> Import | None:
    """Read `const ... = require('...')`, `require('...').x` or `await import('...')`."""
    value, name = declarator.child_by_field_name("value"), declarator.child_by_field_name("name")
    member = ""
    if value is not None and value.type == "member_expression":
        inner = value.child_by_field_name("property")
        member = text_of(document, inner) if inner else ""
        value = value.child_by_field_name("object")
    if value is not None and value.type == "await_expression" and value.named_children:
        value = value.named_children[0]
    if value is None or name is None or value.type != "call_expression":
        return None
    function, arguments = value.child_by_field_name("function"), value.child_by_field_name("arguments")
    if function is None or arguments is None or text_of(document, function) not in ("require", "import"):
        return None
    if len(arguments.named_children) != 1 or arguments.named_children[0].type != "string":
        return None
    found = Import(statement, _string(document, arguments.named_children[0]), True)
    if name.type == "identifier":
        found.names[text_of(document, name)] = member or "*"
    elif name.type == "object_pattern":
        for child in name.named_children:
            key = child.child_by_field_name("key")
            for local in pattern_names(document, child):
                found.names[local] = text_of(document, key) if key else local
            if child.type in ("shorthand_property_identifier_pattern", "pair_pattern"):
                found.last = child
            # No name may follow a rest element.
            if child.type == "rest_pattern":
                found.last = None
                break
    return found


def _string(document: Document, node: Node | None) -> str:
    return text_of(document, node)[1:-1] if node is not None else ""
