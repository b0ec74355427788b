"""The outline of a Go file: its package, imports, functions, methods and the names that it binds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_go
from tree_sitter import Node, Tree

from phases.test_integration.document import Document
from phases.test_integration.syntax import Grammar, walk

GRAMMAR = Grammar(tree_sitter_go.language())

IDENTIFIERS = frozenset({"identifier", "type_identifier", "package_identifier"})
RAW_STRINGS = frozenset({"raw_string_literal"})
_TEST_NAME = re.compile(r"Test(?![a-z])\w*")
_TEST_PARAMETER = re.compile(r"\(\s*+(\w++)\s++\*\s*+(?:(\w++)\s*+\.\s*+)?T\s*+,?+\s*+\)")
_VERSION = re.compile(r"v\d+$")


@dataclass(frozen=True, slots=True)
class Import:
    """`name` is what the file calls it: `.` binds everything, `_` nothing. `block` is its declaration."""

    name: str
    path: str
    node: Node
    block: Node


@dataclass(frozen=True, slots=True)
class Function:
    """`parameter` is what a test calls its `*testing.T`; `receiver` is a method's name for its value."""

    node: Node
    name: str
    body: Node | None
    parameter: str = ""
    receiver: str = ""
    type_name: str = ""

    @property
    def is_test(self) -> bool:
        return bool(_TEST_NAME.fullmatch(self.name) and (self.parameter or self.type_name))


@dataclass(slots=True)
class Layout:
    """A file's outline. `suites` are the types that embed a testify suite.

    `imported` are the names of packages, each with its path.
    """

    document: Document
    root: Node
    package: Node | None = None
    package_name: str = ""
    imports: list[Import] = field(default_factory=list)
    imported: dict[str, str] = field(default_factory=dict)
    import_blocks: list[Node] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    suites: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def text(self, node: Node) -> str:
        return self.document.lines[node.start_byte : node.end_byte].decode(errors="replace")

    @property
    def tests(self) -> list[Function]:
        """What `go test` collects: functions, and methods of suites."""
        return [
            each
            for each in self.functions
            if each.is_test and (not each.type_name or each.type_name in self.suites)
        ]


def read_layout(document: Document, tree: Tree) -> Layout:
    """Looks at the top level; never into functions."""
    layout = Layout(document, tree.root_node)
    for node in top_level(tree.root_node):
        if node.type == "package_clause" and layout.package is None:
            layout.package = node
            layout.package_name = layout.text(node).removeprefix("package").strip(" \t\r\n;")
        elif node.type == "import_declaration":
            layout.import_blocks.append(node)
            for each in _imports(layout, node):
                layout.imports.append(each)
                layout.imported[each.name] = each.path
        elif node.type in ("function_declaration", "method_declaration"):
            function = _function(layout, node)
            layout.functions.append(function)
            if not function.type_name:
                layout.names.add(function.name)
        elif node.type in ("var_declaration", "const_declaration", "type_declaration"):
            _read_declaration(layout, node)
    return layout


def top_level(root: Node) -> Iterator[Node]:
    """What stands at the file's top level, also where the parser has lost its way."""
    stack = root.named_children[::-1]
    while stack:
        node = stack.pop()
        if node.type == "ERROR":
            stack.extend(child for child in reversed(node.named_children) if child.start_point.column == 0)
        else:
            yield node


def default_name(path: str) -> str:
    """What a package is called that is imported without a name: by custom the end of its path."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > 1 and _VERSION.match(parts[-1]):
        parts.pop()
    last = re.sub(r"\.v\d+$", "", parts[-1]) if parts else ""
    return last.removeprefix("go-").removesuffix(".go").removesuffix("-go").rpartition("-")[2]


def _imports(layout: Layout, declaration: Node) -> Iterator[Import]:
    for node in walk(declaration):
        if node.type != "import_spec":
            continue
        path, name = node.child_by_field_name("path"), node.child_by_field_name("name")
        if path is not None:
            text = layout.text(path).strip('"`')
            yield Import(layout.text(name) if name else default_name(text), text, node, declaration)


def _function(layout: Layout, node: Node) -> Function:
    name, receiver = node.child_by_field_name("name"), node.child_by_field_name("receiver")
    parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    own = type_name = ""
    if receiver is not None:
        words = re.findall(r"\w+", layout.text(receiver))
        own, type_name = (words[0], words[1]) if len(words) > 1 else ("", words[0] if words else "")
    found = _TEST_PARAMETER.fullmatch(layout.text(parameters)) if parameters else None
    # Code that imports nothing means the package by its name; within the package nothing names it.
    unnamed = layout.package_name if found and not found[2] else ""
    package = (layout.imported.get(found[2] or ".", found[2]) or unnamed) if found else ""
    parameter = found[1] if found and package == "testing" else ""
    return Function(node, layout.text(name) if name else "", body, parameter, own, type_name)


def _read_declaration(layout: Layout, declaration: Node) -> None:
    stack = [declaration]
    while stack:
        node = stack.pop()
        if node.type in ("var_spec", "const_spec", "type_spec", "type_alias"):
            layout.names.update(layout.text(name) for name in node.children_by_field_name("name"))
            kind = node.child_by_field_name("type")
            if node.type == "type_spec" and kind is not None and kind.type == "struct_type":
                name = node.child_by_field_name("name")
                if name is not None and _embeds_suite(layout, kind):
                    layout.suites.add(layout.text(name))
        else:
            stack.extend(node.named_children)


def _embeds_suite(layout: Layout, struct: Node) -> bool:
    fields = [each for child in struct.named_children for each in child.named_children]
    for each in fields:
        kind = each.child_by_field_name("type")
        if each.child_by_field_name("name") is None and kind is not None:
            embedded = layout.text(kind).lstrip("*")
            if embedded.endswith("Suite") or embedded in layout.suites:
                return True
    return False
