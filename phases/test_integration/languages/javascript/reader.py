"""Reads the outline of a JavaScript test file from its syntax tree."""

from __future__ import annotations

from tree_sitter import Node, Tree

from phases.test_integration.errors import TargetRejected
from phases.test_integration.languages.javascript import calls
from phases.test_integration.languages.javascript.bindings import VARIABLES, declared, read_import
from phases.test_integration.languages.javascript.calls import Call
from phases.test_integration.languages.javascript.dialect import (
    FRAMEWORK_MODULES,
    HOOKS,
    KNOWN,
    OTHER_RUNNERS,
    Dialect,
)
from phases.test_integration.languages.javascript.outline import Group, Outline
from phases.test_integration.read.document import Document

_MAX_STATEMENTS = 30_000
_MAX_DEPTH = 50  # nested groups; deeper ones are not read
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


def read_outline(document: Document, tree: Tree, dialect: Dialect, *, has_types: bool = True) -> Outline:
    """Read the top level and the callbacks of groups; never tests.

    Raises TargetRejected for a file with too many statements.
    """
    outline = Outline(document, tree.root_node, dialect, has_types=has_types)
    top = _top_level(tree.root_node)
    if len(top) > _MAX_STATEMENTS:
        raise TargetRejected(f"the file has more than {_MAX_STATEMENTS} statements")
    for statement in top:
        # All names first: an import applies to the tests above it too.
        _read_names(outline, statement)
    for statement in top:
        if outline.may_stop is None and _may_return(statement):
            outline.may_stop = statement
        before = _count(outline)
        _read_statements(outline, statement)
        if _count(outline) > before:
            outline.outermost.append(statement)
    return outline


def _count(outline: Outline) -> int:
    return len(outline.tests) + len(outline.groups) + len(outline.others)


def _top_level(root: Node) -> list[Node]:
    """Return the top-level statements, including those in the first column of a parse error."""
    found: list[Node] = []
    for node in root.named_children:
        if node.type == "ERROR":
            found += [each for each in node.named_children if each.start_point.column == 0]
        elif node.type != "comment":
            found.append(node)
    return found


def _read_names(outline: Outline, statement: Node) -> None:
    """Record imports, bound names and aliases of a top-level statement."""
    document = outline.document
    if statement.type in ("import_statement", "export_statement"):
        outline.is_module = True
    imports = read_import(document, statement)
    outline.imports += imports
    own = set(declared(document, statement))
    outline.bound |= own
    for name in own & KNOWN if not imports else ():
        outline.names[name] = (name, calls.UNKNOWN)
    for each in imports:
        for local, imported in each.names.items():
            _read_imported(outline, each.source, local, imported)
    if statement.type in VARIABLES:
        _read_aliases(outline, statement)


def _read_imported(outline: Outline, source: str, local: str, imported: str) -> None:
    if source in FRAMEWORK_MODULES:
        if imported in ("*", "default"):
            outline.names[local] = ("*",)
        elif imported in KNOWN:
            outline.names[local] = (imported,)
    elif source in OTHER_RUNNERS and (local in KNOWN or imported in KNOWN or imported in ("*", "default")):
        outline.names.pop(local, None)
        outline.other_runner = source


def _read_aliases(outline: Outline, statement: Node) -> None:
    """Read `const dbTest = test.extend({...})` and `const describeIf = x ? describe : describe.skip`."""
    for declarator in statement.named_children:
        name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if name is None or value is None or name.type != "identifier":
            continue
        conditional = value.type in ("ternary_expression", "binary_expression")
        if conditional:
            value = value.child_by_field_name("consequence") or value.child_by_field_name("left") or value
        chain = calls.chain_of(outline.document, value)
        if not chain or chain[0] not in outline.names or chain[0] == outline.text(name):
            continue
        meaning = (*outline.names[chain[0]], *chain[1:])
        meaning = meaning[1:] if meaning[0] == "*" else meaning
        if meaning and meaning[0] in KNOWN:
            rest = [each for each in meaning[1:] if each != "extend"]
            outline.names[outline.text(name)] = (meaning[0], *rest, *(["if"] if conditional else []))


def _read_statements(outline: Outline, top: Node) -> None:
    """Read the tests and groups below a top-level statement, with an explicit stack."""
    stack: list[tuple[Node, Group | None, bool, int]] = [(top, None, True, 0)]
    while stack:
        outline.statement_count += 1
        if outline.statement_count > _MAX_STATEMENTS:
            raise TargetRejected(f"the file has more than {_MAX_STATEMENTS} statements")
        statement, parent, runs, depth = stack.pop()
        call = None
        if statement.type == "expression_statement":
            call = calls.read_call(outline.document, statement, outline.names)
        elif statement.type == "call_expression":
            call = calls.read_arrow_body(outline.document, statement, outline.names)
            runs = False
        if call is None:
            own = _immediately_invoked_body(statement) if statement.id == top.id else None
            if own is not None:
                inner = [each for each in own.named_children if each.type != "comment"]
                for each in inner:
                    _read_names(outline, each)
            else:
                inner = _inner_statements(outline, statement) if depth < _MAX_DEPTH else []
            stack += [(each, parent, own is not None, depth + 1) for each in reversed(inner)]
        elif call.is_group:
            stack += _read_group(outline, call, parent, runs, depth)
        elif not runs or statement.type == "call_expression":
            outline.others.append(call)
        else:
            (parent.tests if parent else outline.tests).append(call)


def _immediately_invoked_body(statement: Node) -> Node | None:
    """Return the body of `(function () { ... })()`, which runs exactly once."""
    call = statement.named_child(0) if statement.type == "expression_statement" else None
    if call is not None and call.type == "parenthesized_expression":
        call = call.named_child(0)
    if call is None or call.type != "call_expression":
        return None
    function = call.child_by_field_name("function")
    while function is not None and function.type == "parenthesized_expression":
        function = function.named_child(0)
    body = function.child_by_field_name("body") if function and function.type in _CALLBACKS else None
    if body is None or body.type != "statement_block" or any(map(_may_return, body.named_children)):
        return None
    return body


def _read_group(
    outline: Outline, call: Call, parent: Group | None, runs: bool, depth: int
) -> list[tuple[Node, Group | None, bool, int]]:
    """Add a group; return its statements for the reader's stack."""
    body = call.body
    if body is None:
        inner = call.callback.child_by_field_name("body") if call.callback else None
        outline.others.append(call)
        return [(inner, parent, False, depth + 1)] if inner is not None and depth < _MAX_DEPTH else []
    members = [node for node in body.named_children if node.type != "comment"]
    group = Group(
        call=call,
        body=body,
        parent=parent,
        depth=depth,
        runs=runs
        and call.is_plain
        and (parent is None or parent.runs)
        and not any(_may_return(each) or outline.skips_in_hook(each) for each in members),
        title=_title(outline, call),
        last=members[-1] if members else None,
    )
    outline.groups.append(group)
    if parent and runs:
        parent.groups.append(group)
    if depth >= _MAX_DEPTH:
        return []
    return [(each, group, True, depth + 1) for each in reversed(members)]


def _title(outline: Outline, call: Call) -> str:
    if call.title_node is None:
        return ""
    text = outline.text(call.title_node)[:200]
    return text[1:-1] if text[:1] in "'\"`" and len(text) > 1 else text


def _may_return(statement: Node) -> bool:
    """Return whether a group's callback may return at this statement."""
    if statement.type == "return_statement":
        return True
    if statement.type != "if_statement":
        return False
    consequence = statement.child_by_field_name("consequence")
    if consequence is None:
        return False
    inner = consequence.named_children if consequence.type == "statement_block" else [consequence]
    return any(each.type == "return_statement" for each in inner)


def _inner_statements(outline: Outline, statement: Node) -> list[Node]:
    """Return statements inside this one that run conditionally, repeatedly, or from a callback."""
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
    if function is None or arguments is None or outline.text(function)[:40] in HOOKS:
        return []
    found = [each for each in arguments.named_children[:4] if each.type in _CALLBACKS]
    if function.type == "parenthesized_expression" and function.named_children[:1]:
        found += [each for each in function.named_children if each.type in _CALLBACKS]
    return found
