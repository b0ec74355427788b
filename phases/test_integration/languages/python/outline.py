"""The outline of a Python file: functions, classes, imports and bound names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_python
from tree_sitter import Node, Tree

from phases.test_integration.plan.protocols import MAX_GROUP_PATH_LENGTH
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar

GRAMMAR = Grammar(tree_sitter_python.language())

_COMPOUND = {"if_statement", "try_statement", "with_statement", "for_statement", "while_statement"}
_CLAUSES = _COMPOUND | {
    "block",
    "else_clause",
    "elif_clause",
    "except_clause",
    "except_group_clause",
    "finally_clause",
}
_IMPORTS = {"import_statement", "import_from_statement", "future_import_statement"}
_PATTERNS = {"pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern"}
_WORD = re.compile(r"[^\W\d]\w*")
_STRING = re.compile(r"""'[^'\n]*'|"[^"\n]*\"""")


@dataclass(frozen=True, slots=True)
class Function:
    """A function; `node` includes its decorators, whose texts are without `@`."""

    node: Node
    name: str
    is_async: bool
    parameters: tuple[str, ...]
    decorators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """A class; `path` is its dotted name, outer classes first. `functions` are directly in its body."""

    node: Node
    name: str
    path: str
    body: Node
    bases: tuple[str, ...]
    decorators: tuple[str, ...]
    functions: tuple[Function, ...]
    names: frozenset[str]
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """A top-level import; `bindings` maps each bound name to its dotted source (`app.users.login`)."""

    node: Node
    bindings: dict[str, str]


@dataclass(slots=True)
class Outline:
    """A file's outline.

    `bases` are those of all classes, `statements` the top-level statements that are neither definitions nor
    imports.
    """

    document: Document
    root: Node
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    by_path: dict[str, Class] = field(default_factory=dict)
    bases: set[str] = field(default_factory=set)
    imports: list[Import] = field(default_factory=list)
    statements: list[tuple[Node, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    origins: dict[str, str] = field(default_factory=dict)
    has_star_import: bool = False
    main_guard: Node | None = None

    def text(self, node: Node) -> str:
        return self.document.lines[node.start_byte : node.end_byte].decode(errors="replace")

    def origin_of(self, name: str) -> str:
        """Return the name's source: `unittest.TestCase` for the `C` of `TestCase as C`."""
        root, dot, rest = name.partition(".")
        return self.origins.get(root, root) + dot + rest

    def words(self, node: Node) -> frozenset[str]:
        """Return every word in the node's text, in code or not."""
        return frozenset(_WORD.findall(self.text(node)))

    @property
    def indent_unit(self) -> str:
        """Return one level of indentation, from the first class or function."""
        bodies = [group.body for group in self.classes]
        bodies += [body for each in self.functions if (body := _body(each.node))]
        for body in bodies:
            indent = self.document.indent_at(body.start_byte).decode()
            if indent:
                return indent
        return "    "

    def class_at(self, path: str) -> Class | None:
        """Return the class with that path; the last one of several, as it hides the others."""
        return self.by_path.get(path)


def read_outline(document: Document, tree: Tree) -> Outline:
    """Read the top level and class bodies; never functions."""
    outline = Outline(document, tree.root_node)
    stack = tree.root_node.named_children[::-1]
    while stack:
        node = stack.pop()
        if node.type == "ERROR":
            # Nodes in the first column are at top level, even inside a parse error.
            stack.extend(child for child in reversed(node.named_children) if child.start_point.column == 0)
        else:
            _read_statement(outline, node)
    return outline


def bare_statement(text: str) -> str:
    """Return a statement without its strings, to search it for code."""
    return _STRING.sub('""', text)


def _read_statement(outline: Outline, node: Node) -> None:
    """Record one top-level statement."""
    definition, decorators = _unwrap(outline, node)
    if definition.type == "function_definition":
        outline.functions.append(_function(outline, node, definition, decorators))
        outline.names.add(outline.functions[-1].name)
    elif definition.type == "class_definition":
        _read_class(outline, node, definition, decorators)
        outline.names.add(_name(outline, definition))
    elif node.type in _IMPORTS:
        _read_import(outline, node)
    elif node.type in _COMPOUND:
        _read_compound(outline, node)
    elif node.type != "comment":
        outline.statements.append((node, outline.text(node)))
        outline.names.update(_assigned(outline, node))


def _read_compound(outline: Outline, node: Node) -> None:
    """Record what `if`, `try` and other compound statements bind; `__main__` blocks are set apart."""
    if node.type == "if_statement" and outline.main_guard is None:
        condition = node.child_by_field_name("condition")
        if condition is not None and "__name__" in outline.text(condition):
            outline.main_guard = node
            return
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.type in _CLAUSES:
            stack.extend(inner.named_children)
        elif inner.type in _IMPORTS:
            _read_import(outline, inner, top_level=False)
        elif inner.type == "expression_statement":
            outline.statements.append((inner, outline.text(inner)))
            outline.names.update(_assigned(outline, inner))
        elif inner.type == "with_clause":
            outline.names.update(_WORD.findall(outline.text(inner)))
        else:
            definition, _ = _unwrap(outline, inner)
            if definition.type in ("function_definition", "class_definition"):
                outline.names.add(_name(outline, definition))
    if node.type == "for_statement" and (target := node.child_by_field_name("left")):
        outline.names.update(_WORD.findall(outline.text(target)))


def _unwrap(outline: Outline, node: Node) -> tuple[Node, tuple[str, ...]]:
    if node.type != "decorated_definition":
        return node, ()
    decorators = tuple(
        outline.text(child)[1:].strip() for child in node.named_children if child.type == "decorator"
    )
    return node.child_by_field_name("definition") or node, decorators


def _body(node: Node) -> Node | None:
    definition = node.child_by_field_name("definition") or node
    return definition.child_by_field_name("body")


def _name(outline: Outline, definition: Node) -> str:
    name = definition.child_by_field_name("name")
    return outline.text(name) if name else ""


def _function(outline: Outline, node: Node, definition: Node, decorators: tuple[str, ...]) -> Function:
    parameters = definition.child_by_field_name("parameters")
    names = [_parameter(outline, child) for child in parameters.named_children] if parameters else []
    return Function(
        node=node,
        name=_name(outline, definition),
        is_async=definition.children[0].type == "async",
        parameters=tuple(name for name in names if name),
        decorators=decorators,
    )


def _parameter(outline: Outline, node: Node) -> str:
    """Return the name of a required parameter, empty for separators, defaults and catch-alls."""
    if node.type == "typed_parameter" and node.named_children:
        node = node.named_children[0]
    return outline.text(node) if node.type == "identifier" else ""


def _read_class(outline: Outline, node: Node, definition: Node, decorators: tuple[str, ...]) -> None:
    """Record a class and its nested classes, with an explicit stack."""
    stack = [(node, definition, decorators, "")]
    while stack:
        outer, inner, its_decorators, outer_path = stack.pop()
        body = inner.child_by_field_name("body")
        if body is None:
            continue
        path = f"{outer_path}.{_name(outline, inner)}".lstrip(".")
        if len(path) > MAX_GROUP_PATH_LENGTH:
            continue
        functions: list[Function] = []
        statements: list[str] = []
        names: set[str] = set()
        nested = []
        for child in body.named_children:
            member, member_decorators = _unwrap(outline, child)
            if member.type == "function_definition":
                functions.append(_function(outline, child, member, member_decorators))
                names.add(functions[-1].name)
            elif member.type == "class_definition":
                nested.append((child, member, member_decorators, path))
                names.add(_name(outline, member))
            elif child.type == "expression_statement":
                statements.append(outline.text(child))
                names.update(_assigned(outline, child))
        outline.classes.append(
            Class(
                node=outer,
                name=_name(outline, inner),
                path=path,
                body=body,
                bases=_bases(outline, inner),
                decorators=its_decorators,
                functions=tuple(functions),
                names=frozenset(names),
                statements=tuple(statements),
            )
        )
        outline.by_path[path] = outline.classes[-1]
        outline.bases.update(outline.classes[-1].bases)
        stack.extend(reversed(nested))


def _bases(outline: Outline, definition: Node) -> tuple[str, ...]:
    arguments = definition.child_by_field_name("superclasses")
    if arguments is None:
        return ()
    return tuple(
        outline.text(child).partition("[")[0]
        for child in arguments.named_children
        if child.type not in ("keyword_argument", "comment")
    )


def _assigned(outline: Outline, node: Node) -> Iterator[str]:
    """Yield the names that a statement assigns; `a = b, c = 1, 2` assigns all three."""
    for child in node.named_children:
        assignment: Node | None = child
        while assignment is not None and assignment.type in ("assignment", "augmented_assignment"):
            yield from _targets(outline, assignment.child_by_field_name("left"))
            assignment = assignment.child_by_field_name("right")


def _targets(outline: Outline, left: Node | None) -> Iterator[str]:
    stack = [left] if left else []
    while stack:
        node = stack.pop()
        if node.type == "identifier":
            yield outline.text(node)
        elif node.type in _PATTERNS:
            stack.extend(node.named_children)


def _read_import(outline: Outline, node: Node, *, top_level: bool = True) -> None:
    """Record the names that an import binds and their sources."""
    bindings: dict[str, str] = {}
    module = node.child_by_field_name("module_name")
    prefix = f"{outline.text(module)}." if module else ""
    for child in node.named_children:
        if child.type == "wildcard_import":
            outline.has_star_import = True
        elif child.type == "aliased_import":
            original, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if original and alias:
                bindings[outline.text(alias)] = prefix + outline.text(original)
        elif child != module and child.type == "dotted_name":
            name = outline.text(child)
            bindings[name if prefix else name.partition(".")[0]] = prefix + name
    outline.names.update(bindings)
    for name, origin in bindings.items():
        outline.origins.setdefault(name, origin)
    if top_level:
        outline.imports.append(Import(node, bindings))
