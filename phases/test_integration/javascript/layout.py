"""The outline of a JavaScript test file: its groups and tests, imports and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node, Tree

from phases.test_integration.document import Document
from phases.test_integration.errors import TargetRefused
from phases.test_integration.javascript import calls
from phases.test_integration.javascript.bindings import (
    VARIABLES,
    Import,
    declared,
    pattern_names,
    read_import,
    text_of,
)
from phases.test_integration.javascript.calls import Call
from phases.test_integration.javascript.dialect import (
    FRAMEWORK_MODULES,
    HOOKS,
    KNOWN,
    OTHER_RUNNERS,
    Dialect,
)
from phases.test_integration.javascript.grammars import JAVASCRIPT
from phases.test_integration.syntax import errors

HOOK_SKIP = re.compile(rb"\bthis\s*\.\s*skip\s*\(")
_BEFORE = re.compile(rb"before(?:All|Each)?\s*\(")
_MOST_STATEMENTS = 30_000
_DEEPEST = 50  # groups within groups; what lies deeper is not looked at
_CALLBACKS = {"arrow_function", "function_expression"}
_BRANCHES = {
    "if_statement",
    "else_clause",
    "for_statement",
    "for_in_statement",
    "while_statement",
    "do_statement",
    "try_statement",
    "catch_clause",
    "finally_clause",
    "switch_statement",
    "switch_body",
    "switch_case",
    "switch_default",
    "labeled_statement",
    "statement_block",
    "function_declaration",
    "ERROR",
}
_INDENT = re.compile(rb"^([ \t]+)[^\s*]", re.MULTILINE)


@dataclass(slots=True)
class Group:
    """`runs` says whether one more test in it would run, once and always."""

    call: Call
    body: Node
    parent: Group | None
    depth: int
    runs: bool
    title: str
    tests: list[Call] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    last: Node | None = None

    @property
    def path(self) -> str:
        titles: list[str] = []
        group: Group | None = self
        while group is not None:
            titles.append(group.title)
            group = group.parent
        return " > ".join(reversed(titles))


@dataclass
class Layout:
    """`tests` stand at the file's top level; `outermost` are top-level statements with tests in them.

    `names` maps what the file calls tests and groups by to what they are in the framework; `has_types` says
    that it is TypeScript.
    """

    document: Document
    root: Node
    dialect: Dialect
    names: calls.Names = field(default_factory=calls.Names)
    imports: list[Import] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    tests: list[Call] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    outermost: list[Node] = field(default_factory=list)
    others: list[Call] = field(default_factory=list)
    other_runner: str = ""
    is_module: bool = False
    has_types: bool = True
    may_stop: Node | None = None
    statement_count: int = 0

    def text(self, node: Node) -> str:
        return text_of(self.document, node)

    @property
    def is_common_js(self) -> bool:
        return not self.is_module and (
            self.dialect.name != "vitest" or any(each.is_require for each in self.imports)
        )

    @property
    def module_import(self) -> Import | None:
        """The import that the framework's names come from."""
        for each in self.imports:
            if each.source == self.dialect.module and not each.is_type:
                return each
        return None

    @cached_property
    def takes_types(self) -> bool:
        """Whether it is TypeScript, or has types all the same."""
        return self.has_types or bool(errors(JAVASCRIPT.parse(self.document)))

    @cached_property
    def unit(self) -> str:
        """One level of indentation."""
        for group in self.groups:
            outer = self.document.indent_at(group.call.statement.start_byte)
            inner = self.document.indent_at(group.body.named_children[0].start_byte) if group.last else b""
            if inner.startswith(outer) and len(inner) > len(outer):
                return inner[len(outer) :].decode()
        found = _INDENT.search(self.document.lines)
        return found[1].decode() if found and len(found[1]) in (1, 2, 4, 8) else "  "

    @cached_property
    def _may_skip(self) -> bool:
        return HOOK_SKIP.search(self.document.content) is not None

    def skips_in_hook(self, statement: Node) -> bool:
        """Whether it is a hook that may skip the tests around it."""
        if not self._may_skip or statement.type != "expression_statement":
            return False
        content = self.document.content
        if not _BEFORE.match(content, statement.start_byte, statement.end_byte):
            return False
        return HOOK_SKIP.search(content, statement.start_byte, statement.end_byte) is not None

    def all_tests(self) -> Iterator[Call]:
        yield from self.tests
        for group in self.groups:
            yield from group.tests
        yield from self.others

    def scope_names(self, group: Group | None) -> set[str]:
        """The names that a test in the group can read."""
        names = set(self.bound)
        while group is not None:
            for statement in group.body.named_children:
                names.update(declared(self.document, statement))
            parameters = group.call.callback and group.call.callback.child_by_field_name("parameters")
            names.update(pattern_names(self.document, parameters or None))
            group = group.parent
        return names


def read_layout(document: Document, tree: Tree, dialect: Dialect, *, has_types: bool = True) -> Layout:
    """Looks at statements at the top level and in callbacks that make groups; never into tests."""
    layout = Layout(document, tree.root_node, dialect, has_types=has_types)
    top = _top_level(tree.root_node)
    if len(top) > _MOST_STATEMENTS:
        raise TargetRefused(f"the file has more than {_MOST_STATEMENTS} statements")
    for statement in top:
        _read_names(layout, statement)
    for statement in top:
        if layout.may_stop is None and _leaves(statement):
            layout.may_stop = statement
        before = _count(layout)
        _read_statements(layout, statement)
        if _count(layout) > before:
            layout.outermost.append(statement)
    return layout


def _count(layout: Layout) -> int:
    return len(layout.tests) + len(layout.groups) + len(layout.others)


def _top_level(root: Node) -> list[Node]:
    """The top-level statements; what stands in the first column of an error is one too."""
    found: list[Node] = []
    for node in root.named_children:
        if node.type == "ERROR":
            found += [each for each in node.named_children if each.start_point.column == 0]
        elif node.type != "comment":
            found.append(node)
    return found


def _read_names(layout: Layout, statement: Node) -> None:
    document = layout.document
    if statement.type in ("import_statement", "export_statement"):
        layout.is_module = True
    imports = read_import(document, statement)
    layout.imports += imports
    own = set(declared(document, statement))
    layout.bound |= own
    for name in own & KNOWN if not imports else ():
        layout.names[name] = (name, calls.UNKNOWN)
    for each in imports:
        for local, imported in each.names.items():
            _read_imported(layout, each.source, local, imported)
    if statement.type in VARIABLES:
        _read_aliases(layout, statement)


def _read_imported(layout: Layout, source: str, local: str, imported: str) -> None:
    if source in FRAMEWORK_MODULES:
        if imported in ("*", "default"):
            layout.names[local] = ("*",)
        elif imported in KNOWN:
            layout.names[local] = (imported,)
    elif source in OTHER_RUNNERS and (local in KNOWN or imported in KNOWN or imported in ("*", "default")):
        layout.names.pop(local, None)
        layout.other_runner = source


def _read_aliases(layout: Layout, statement: Node) -> None:
    """`const dbTest = test.extend({...})`, `const describeIf = x ? describe : describe.skip`."""
    for declarator in statement.named_children:
        name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if name is None or value is None or name.type != "identifier":
            continue
        conditional = value.type in ("ternary_expression", "binary_expression")
        if conditional:
            value = value.child_by_field_name("consequence") or value.child_by_field_name("left") or value
        chain = calls.chain_of(layout.document, value)
        if not chain or chain[0] not in layout.names or chain[0] == layout.text(name):
            continue
        meaning = (*layout.names[chain[0]], *chain[1:])
        meaning = meaning[1:] if meaning[0] == "*" else meaning
        if meaning and meaning[0] in KNOWN:
            rest = [each for each in meaning[1:] if each != "extend"]
            layout.names[layout.text(name)] = (meaning[0], *rest, *(["if"] if conditional else []))


def _read_statements(layout: Layout, top: Node) -> None:
    stack: list[tuple[Node, Group | None, bool, int]] = [(top, None, True, 0)]
    while stack:
        layout.statement_count += 1
        if layout.statement_count > _MOST_STATEMENTS:
            raise TargetRefused(f"the file has more than {_MOST_STATEMENTS} statements")
        statement, parent, runs, depth = stack.pop()
        call = None
        if statement.type == "expression_statement":
            call = calls.read_call(layout.document, statement, layout.names)
        elif statement.type == "call_expression":
            call = calls.read_arrow_body(layout.document, statement, layout.names)
            runs = False
        if call is None:
            own = _called_at_once(statement) if statement.id == top.id else None
            if own is not None:
                inner = [each for each in own.named_children if each.type != "comment"]
                for each in inner:
                    _read_names(layout, each)
            else:
                inner = _inner_statements(layout, statement) if depth < _DEEPEST else []
            stack += [(each, parent, own is not None, depth + 1) for each in reversed(inner)]
        elif call.is_group:
            stack += _read_group(layout, call, parent, runs, depth)
        elif not runs or statement.type == "call_expression":
            layout.others.append(call)
        else:
            (parent.tests if parent else layout.tests).append(call)


def _called_at_once(statement: Node) -> Node | None:
    """The body of `(function () { ... })()`, which runs once and always."""
    call = statement.named_child(0) if statement.type == "expression_statement" else None
    if call is not None and call.type == "parenthesized_expression":
        call = call.named_child(0)
    if call is None or call.type != "call_expression":
        return None
    function = call.child_by_field_name("function")
    while function is not None and function.type == "parenthesized_expression":
        function = function.named_child(0)
    body = function.child_by_field_name("body") if function and function.type in _CALLBACKS else None
    if body is None or body.type != "statement_block" or any(map(_leaves, body.named_children)):
        return None
    return body


def _read_group(
    layout: Layout, call: Call, parent: Group | None, runs: bool, depth: int
) -> list[tuple[Node, Group | None, bool, int]]:
    body = call.body
    if body is None:
        inner = call.callback.child_by_field_name("body") if call.callback else None
        layout.others.append(call)
        return [(inner, parent, False, depth + 1)] if inner is not None and depth < _DEEPEST else []
    members = [node for node in body.named_children if node.type != "comment"]
    group = Group(
        call=call,
        body=body,
        parent=parent,
        depth=depth,
        runs=runs
        and call.is_plain
        and (parent is None or parent.runs)
        and not any(_leaves(each) or layout.skips_in_hook(each) for each in members),
        title=_title(layout, call),
        last=members[-1] if members else None,
    )
    layout.groups.append(group)
    if parent and runs:
        parent.groups.append(group)
    if depth >= _DEEPEST:
        return []
    return [(each, group, True, depth + 1) for each in reversed(members)]


def _title(layout: Layout, call: Call) -> str:
    if call.title_node is None:
        return ""
    text = layout.text(call.title_node)[:200]
    return text[1:-1] if text[:1] in "'\"`" and len(text) > 1 else text


def _leaves(statement: Node) -> bool:
    """Whether a group's callback may end there."""
    if statement.type == "return_statement":
        return True
    if statement.type != "if_statement":
        return False
    consequence = statement.child_by_field_name("consequence")
    if consequence is None:
        return False
    inner = consequence.named_children if consequence.type == "statement_block" else [consequence]
    return any(each.type == "return_statement" for each in inner)


def _inner_statements(layout: Layout, statement: Node) -> list[Node]:
    """Statements that run under a condition, several times, or where something else calls them."""
    if statement.type in _BRANCHES:
        return statement.named_children
    expression = calls.unwrapped(statement)
    if statement.type in ("call_expression", "arrow_function", "function_expression"):
        expression = statement
    if expression is None:
        return []
    if expression.type in _CALLBACKS:
        body = expression.child_by_field_name("body")
        return [body] if body is not None else []
    if expression.type != "call_expression":
        return []
    function, arguments = (
        expression.child_by_field_name("function"),
        expression.child_by_field_name("arguments"),
    )
    if function is None or arguments is None or layout.text(function)[:40] in HOOKS:
        return []
    found = [each for each in arguments.named_children[:4] if each.type in _CALLBACKS]
    if function.type == "parenthesized_expression" and function.named_children[:1]:
        found += [each for each in function.named_children if each.type in _CALLBACKS]
    return found
