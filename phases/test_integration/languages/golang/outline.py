"""The outline of a Go file: package, imports, functions, methods and bound names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_go
from tree_sitter import Node, Tree

from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar, walk

GRAMMAR = Grammar(tree_sitter_go.language())

IDENTIFIERS = frozenset({"identifier", "type_identifier", "package_identifier"})
RAW_STRINGS = frozenset({"raw_string_literal"})
_TEST_NAME = re.compile(r"Test(?![a-z])\w*")
_TEST_PARAMETER = re.compile(r"\(\s*+(\w++)\s++\*\s*+(?:(\w++)\s*+\.\s*+)?T\s*+,?+\s*+\)")
_VERSION = re.compile(r"v\d+$")


@dataclass(frozen=True, slots=True)
class Import:
    """An import; `name` is its name in the file (`.` or `_` for dot and blank), `block` its declaration."""

    name: str
    path: str
    node: Node
    block: Node


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method. `parameter` names a test's `*testing.T`; `receiver` names a method's receiver."""

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
class Outline:
    """A file's outline.

    `suites` are the types that embed a testify suite; `imported` maps package names to import paths.
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
        """Return what `go test` collects: test functions, and methods of suites."""
        return [
            each
            for each in self.functions
            if each.is_test and (not each.type_name or each.type_name in self.suites)
        ]


def read_outline(document: Document, tree: Tree) -> Outline:
    """Read the top level; never function bodies."""
    outline = Outline(document, tree.root_node)
    for node in top_level(tree.root_node):
        if node.type == "package_clause" and outline.package is None:
            outline.package = node
            outline.package_name = outline.text(node).removeprefix("package").strip(" \t\r\n;")
        elif node.type == "import_declaration":
            outline.import_blocks.append(node)
            for each in _imports(outline, node):
                outline.imports.append(each)
                outline.imported[each.name] = each.path
        elif node.type in ("function_declaration", "method_declaration"):
            function = _function(outline, node)
            outline.functions.append(function)
            if not function.type_name:
                outline.names.add(function.name)
        elif node.type in ("var_declaration", "const_declaration", "type_declaration"):
            _read_declaration(outline, node)
    return outline


def top_level(root: Node) -> Iterator[Node]:
    """Yield the file's top-level nodes, including those inside a parse error."""
    stack = root.named_children[::-1]
    while stack:
        node = stack.pop()
        if node.type == "ERROR":
            # Inside an error the parser has lost the nesting.
            # Only what starts at the margin is at the top level.
            stack.extend(child for child in reversed(node.named_children) if child.start_point.column == 0)
        else:
            yield node


def default_name(path: str) -> str:
    """Return the name of a package that is imported without one: by convention the end of its path."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > 1 and _VERSION.match(parts[-1]):
        parts.pop()
    last = re.sub(r"\.v\d+$", "", parts[-1]) if parts else ""
    return last.removeprefix("go-").removesuffix(".go").removesuffix("-go").rpartition("-")[2]


def _imports(outline: Outline, declaration: Node) -> Iterator[Import]:
    for node in walk(declaration):
        if node.type != "import_spec":
            continue
        path, name = node.child_by_field_name("path"), node.child_by_field_name("name")
        if path is not None:
            text = outline.text(path).strip('"`')
            yield Import(outline.text(name) if name else default_name(text), text, node, declaration)


def _function(outline: Outline, node: Node) -> Function:
    name, receiver = node.child_by_field_name("name"), node.child_by_field_name("receiver")
    parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    own = type_name = ""
    if receiver is not None:
        words = re.findall(r"\w+", outline.text(receiver))
        own, type_name = (words[0], words[1]) if len(words) > 1 else ("", words[0] if words else "")
    found = _TEST_PARAMETER.fullmatch(outline.text(parameters)) if parameters else None
    # A test file without imports still means `testing.T`; inside package testing it is just `T`.
    unnamed = outline.package_name if found and not found[2] else ""
    package = (outline.imported.get(found[2] or ".", found[2]) or unnamed) if found else ""
    parameter = found[1] if found and package == "testing" else ""
    return Function(node, outline.text(name) if name else "", body, parameter, own, type_name)


def _read_declaration(outline: Outline, declaration: Node) -> None:
    stack = [declaration]
    while stack:
        node = stack.pop()
        if node.type in ("var_spec", "const_spec", "type_spec", "type_alias"):
            outline.names.update(outline.text(name) for name in node.children_by_field_name("name"))
            kind = node.child_by_field_name("type")
            if node.type == "type_spec" and kind is not None and kind.type == "struct_type":
                name = node.child_by_field_name("name")
                if name is not None and _embeds_suite(outline, kind):
                    outline.suites.add(outline.text(name))
        else:
            stack.extend(node.named_children)


def _embeds_suite(outline: Outline, struct: Node) -> bool:
    fields = [each for child in struct.named_children for each in child.named_children]
    for each in fields:
        kind = each.child_by_field_name("type")
        # A field without a name is embedded.
        if each.child_by_field_name("name") is None and kind is not None:
            embedded = outline.text(kind).lstrip("*")
            if embedded.endswith("Suite") or embedded in outline.suites:
                return True
    return False
