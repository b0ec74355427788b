"""The outline of a Python file: its functions, classes, imports and the names that it binds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_python
from tree_sitter import Node, Tree

from phases.test_integration.document import Document
from phases.test_integration.insertion import LONGEST_PATH
from phases.test_integration.syntax import Grammar

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
    """`node` includes the decorators, whose texts are without `@`."""

    node: Node
    name: str
    is_async: bool
    parameters: tuple[str, ...]
    decorators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """`path` is the class's name behind those around it, dotted. `functions` stand directly in its body."""

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
    """A top-level import; `bindings` maps each bound name to what it is, dotted (`app.users.login`)."""

    node: Node
    bindings: dict[str, str]


@dataclass(slots=True)
class Layout:
    """A file's outline.

    `bases` are those of all classes, `statements` the top-level lines that are neither def nor import.
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
        """What the name is where it comes from: `unittest.TestCase` for the `C` of `TestCase as C`."""
        root, dot, rest = name.partition(".")
        return self.origins.get(root, root) + dot + rest

    def words(self, node: Node) -> frozenset[str]:
        """Every word in the node's text, be it code or not."""
        return frozenset(_WORD.findall(self.text(node)))

    @property
    def indent_unit(self) -> str:
        """One level of the file's indentation, as its first class or function has it."""
        bodies = [group.body for group in self.classes]
        bodies += [body for each in self.functions if (body := _body(each.node))]
        for body in bodies:
            indent = self.document.indent_at(body.start_byte).decode()
            if indent:
                return indent
        return "    "

    def class_at(self, path: str) -> Class | None:
        """The class of that path; of several the last, which hides the others."""
        return self.by_path.get(path)


def read_layout(document: Document, tree: Tree) -> Layout:
    """Looks at the top level and at the bodies of classes; never into functions."""
    layout = Layout(document, tree.root_node)
    stack = tree.root_node.named_children[::-1]
    while stack:
        node = stack.pop()
        if node.type == "ERROR":
            # What stands in the first column is at the top level, though the parser has lost its way.
            stack.extend(child for child in reversed(node.named_children) if child.start_point.column == 0)
        else:
            _read_statement(layout, node)
    return layout


def bare_statement(text: str) -> str:
    """A statement without its strings, for looking up words of code in it."""
    return _STRING.sub('""', text)


def _read_statement(layout: Layout, node: Node) -> None:
    definition, decorators = _unwrap(layout, node)
    if definition.type == "function_definition":
        layout.functions.append(_function(layout, node, definition, decorators))
        layout.names.add(layout.functions[-1].name)
    elif definition.type == "class_definition":
        _read_class(layout, node, definition, decorators)
        layout.names.add(_name(layout, definition))
    elif node.type in _IMPORTS:
        _read_import(layout, node)
    elif node.type in _COMPOUND:
        _read_compound(layout, node)
    elif node.type != "comment":
        layout.statements.append((node, layout.text(node)))
        layout.names.update(_assigned(layout, node))


def _read_compound(layout: Layout, node: Node) -> None:
    if node.type == "if_statement" and layout.main_guard is None:
        condition = node.child_by_field_name("condition")
        if condition is not None and "__name__" in layout.text(condition):
            layout.main_guard = node
            return
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.type in _CLAUSES:
            stack.extend(inner.named_children)
        elif inner.type in _IMPORTS:
            _read_import(layout, inner, top_level=False)
        elif inner.type == "expression_statement":
            layout.statements.append((inner, layout.text(inner)))
            layout.names.update(_assigned(layout, inner))
        elif inner.type == "with_clause":
            layout.names.update(_WORD.findall(layout.text(inner)))
        else:
            definition, _ = _unwrap(layout, inner)
            if definition.type in ("function_definition", "class_definition"):
                layout.names.add(_name(layout, definition))
    if node.type == "for_statement" and (target := node.child_by_field_name("left")):
        layout.names.update(_WORD.findall(layout.text(target)))


def _unwrap(layout: Layout, node: Node) -> tuple[Node, tuple[str, ...]]:
    if node.type != "decorated_definition":
        return node, ()
    decorators = tuple(
        layout.text(child)[1:].strip() for child in node.named_children if child.type == "decorator"
    )
    return node.child_by_field_name("definition") or node, decorators


def _body(node: Node) -> Node | None:
    definition = node.child_by_field_name("definition") or node
    return definition.child_by_field_name("body")


def _name(layout: Layout, definition: Node) -> str:
    name = definition.child_by_field_name("name")
    return layout.text(name) if name else ""


def _function(layout: Layout, node: Node, definition: Node, decorators: tuple[str, ...]) -> Function:
    parameters = definition.child_by_field_name("parameters")
    names = [_parameter(layout, child) for child in parameters.named_children] if parameters else []
    return Function(
        node=node,
        name=_name(layout, definition),
        is_async=definition.children[0].type == "async",
        parameters=tuple(name for name in names if name),
        decorators=decorators,
    )


def _parameter(layout: Layout, node: Node) -> str:
    """The name of a parameter that is no separator, no default and no catch-all."""
    if node.type == "typed_parameter" and node.named_children:
        node = node.named_children[0]
    return layout.text(node) if node.type == "identifier" else ""


def _read_class(layout: Layout, node: Node, definition: Node, decorators: tuple[str, ...]) -> None:
    stack = [(node, definition, decorators, "")]
    while stack:
        outer, inner, its_decorators, around = stack.pop()
        body = inner.child_by_field_name("body")
        if body is None:
            continue
        path = f"{around}.{_name(layout, inner)}".lstrip(".")
        if len(path) > LONGEST_PATH:
            continue
        functions: list[Function] = []
        statements: list[str] = []
        names: set[str] = set()
        nested = []
        for child in body.named_children:
            member, member_decorators = _unwrap(layout, child)
            if member.type == "function_definition":
                functions.append(_function(layout, child, member, member_decorators))
                names.add(functions[-1].name)
            elif member.type == "class_definition":
                nested.append((child, member, member_decorators, path))
                names.add(_name(layout, member))
            elif child.type == "expression_statement":
                statements.append(layout.text(child))
                names.update(_assigned(layout, child))
        layout.classes.append(
            Class(
                node=outer,
                name=_name(layout, inner),
                path=path,
                body=body,
                bases=_bases(layout, inner),
                decorators=its_decorators,
                functions=tuple(functions),
                names=frozenset(names),
                statements=tuple(statements),
            )
        )
        layout.by_path[path] = layout.classes[-1]
        layout.bases.update(layout.classes[-1].bases)
        stack.extend(reversed(nested))


def _bases(layout: Layout, definition: Node) -> tuple[str, ...]:
    arguments = definition.child_by_field_name("superclasses")
    if arguments is None:
        return ()
    return tuple(
        layout.text(child).partition("[")[0]
        for child in arguments.named_children
        if child.type not in ("keyword_argument", "comment")
    )


def _assigned(layout: Layout, node: Node) -> Iterator[str]:
    """The names that a statement assigns; `a = b, c = 1, 2` binds all three."""
    for child in node.named_children:
        assignment: Node | None = child
        while assignment is not None and assignment.type in ("assignment", "augmented_assignment"):
            yield from _targets(layout, assignment.child_by_field_name("left"))
            assignment = assignment.child_by_field_name("right")


def _targets(layout: Layout, left: Node | None) -> Iterator[str]:
    stack = [left] if left else []
    while stack:
        node = stack.pop()
        if node.type == "identifier":
            yield layout.text(node)
        elif node.type in _PATTERNS:
            stack.extend(node.named_children)


def _read_import(layout: Layout, node: Node, *, top_level: bool = True) -> None:
    bindings: dict[str, str] = {}
    module = node.child_by_field_name("module_name")
    prefix = f"{layout.text(module)}." if module else ""
    for child in node.named_children:
        if child.type == "wildcard_import":
            layout.has_star_import = True
        elif child.type == "aliased_import":
            original, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if original and alias:
                bindings[layout.text(alias)] = prefix + layout.text(original)
        elif child != module and child.type == "dotted_name":
            name = layout.text(child)
            bindings[name if prefix else name.partition(".")[0]] = prefix + name
    layout.names.update(bindings)
    for name, origin in bindings.items():
        layout.origins.setdefault(name, origin)
    if top_level:
        layout.imports.append(Import(node, bindings))
