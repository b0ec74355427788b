"""Finds the classes that a PHP test reads, and its variables without a value."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from phases.test_integration.languages.shared.code import walk_with_parents
from phases.test_integration.read.syntax import walk

# PHP's own classes: inside a namespace they need a leading backslash.
GLOBALS = frozenset(
    {
        "ArgumentCountError",
        "ArrayIterator",
        "ArrayObject",
        "BadFunctionCallException",
        "Closure",
        "DOMDocument",
    }
    | {"BadMethodCallException", "DateInterval", "DateTime", "DateTimeImmutable", "DateTimeZone", "DOMXPath"}
    | {"DomainException", "Error", "ErrorException", "Exception", "Generator", "InvalidArgumentException"}
    | {"Iterator", "JsonException", "LengthException", "LogicException", "OutOfBoundsException", "PDO"}
    | {"OutOfRangeException", "OverflowException", "PDOException", "PDOStatement", "RangeException", "mysqli"}
    | {"ReflectionClass", "ReflectionMethod", "ReflectionObject", "ReflectionProperty", "RuntimeException"}
    | {
        "SimpleXMLElement",
        "SplFileInfo",
        "SplObjectStorage",
        "SQLite3",
        "Stringable",
        "Throwable",
        "stdClass",
    }
    | {"Traversable", "TypeError", "UnexpectedValueException", "ValueError", "XMLReader", "ZipArchive"}
)
_RESERVED = {"self", "static", "parent"}
_BINDING_PARENTS = {
    "simple_parameter",
    "variadic_parameter",
    "property_promotion_parameter",
    "catch_clause",
    "global_declaration",
    "static_variable_declaration",
    "by_ref",
    "list_literal",
    "array_element_initializer",
    "reference_assignment_expression",
    "anonymous_function_use_clause",
    "argument",
    "foreach_statement",
    "pair",
}
_ALWAYS = {"this", "GLOBALS", "_SERVER", "_GET", "_POST", "_FILES", "_COOKIE", "_SESSION", "_REQUEST", "_ENV"}


def class_names(root: Node) -> Iterator[Node]:
    """Yield every unqualified name that refers to a class."""
    for node, parent, _ in walk_with_parents(root):
        if node.type != "name" or parent is None or _text(node).lower() in _RESERVED:
            continue
        if parent.type in ("object_creation_expression", "named_type"):
            yield node
        elif parent.type in ("scoped_call_expression", "scoped_property_access_expression"):
            if parent.child_by_field_name("scope") == node:
                yield node
        elif parent.type == "class_constant_access_expression":
            if parent.named_children[0] == node:
                yield node
        elif parent.type == "binary_expression" and parent.child_by_field_name("right") == node:
            operator = parent.child_by_field_name("operator")
            if operator is not None and operator.type == "instanceof":
                yield node


def function_names(root: Node) -> Iterator[Node]:
    for node in walk(root):
        function = node.child_by_field_name("function") if node.type == "function_call_expression" else None
        if function is not None and function.type == "name":
            yield function


def unbound_variables(root: Node) -> list[str]:
    """Return variables that are read and never assigned, in order."""
    read: dict[str, None] = {}
    bound = set(_ALWAYS)
    arguments_of_methods: set[Node] = set()
    for node, parent, above in walk_with_parents(root):
        # `$$name`, and extract() below, may give any variable a value.
        if node.type == "dynamic_variable_name":
            return []
        if node.type == "arguments" and parent is not None and parent.type != "function_call_expression":
            arguments_of_methods.add(node)
        if node.type == "function_call_expression" and _text(node).startswith(("extract(", "compact(")):
            return []
        if node.type == "variable_name" and parent is not None:
            name = _text(node).lstrip("$")
            read.setdefault(name)
            is_left = "assignment" in parent.type and parent.child_by_field_name("left") == node
            # A function may assign its argument by reference; methods and constructors rarely do.
            is_argument = parent.type == "argument" and above in arguments_of_methods
            if is_left or (parent.type in _BINDING_PARENTS and not is_argument):
                bound.add(name)
    return [name for name in read if name not in bound]


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
