"""Reads a JavaScript test file's outline from its syntax tree."""

from __future__ import annotations

from tree_sitter import Node, Tree

from phases.test_integration.document import Document
from phases.test_integration.errors import TargetRefused
from phases.test_integration.javascript import calls
from phases.test_integration.javascript.bindings import VARIABLES, declared, read_import
from phases.test_integration.javascript.calls import Call
from phases.test_integration.javascript.dialect import (
    FRAMEWORK_MODULES,
    HOOKS,
    KNOWN,
    OTHER_RUNNERS,
    Dialect,
)
from phases.test_integration.javascript.layout import Group, Layout

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
