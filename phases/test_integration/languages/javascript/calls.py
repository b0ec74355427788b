"""Reads calls that define tests and groups: function, modifiers, title and callback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.languages.javascript.bindings import text_of
from phases.test_integration.languages.javascript.dialect import (
    FOCUSED,
    GROUPS,
    KNOWN,
    SKIPPED,
    TESTS,
)
from phases.test_integration.read.document import Document

_FUNCTIONS = {"arrow_function", "function_expression", "generator_function"}
_WRAPPERS = {"await_expression", "parenthesized_expression", "unary_expression", "as_expression"} | {
    "non_null_expression",
    "satisfies_expression",
}
_CONFIGURES = {"timeout", "slow", "retries"}  # mocha: `it(...).timeout(100)`
# With these modifiers a group or test still runs exactly once.
_HARMLESS = {"concurrent", "sequential", "shuffle"}
_OPTIONS = (b"skip", b"only", b"todo", b"fails", b"repeats", b"...")
_MAX_CHAIN_LENGTH = 12
UNKNOWN = "unknown"  # the modifier of a function that the project itself defines
_LOOKS_LIKE_ONE = re.compile(r"(?:it|test|describe)[A-Z]\w*|\w+(?:It|Test|Describe)")


@dataclass(eq=False)
class Call:
    """A test or a group. `function` is its name in the file without modifiers: `it`, `v.test.describe`."""

    statement: Node
    expression: Node
    function: str
    modifiers: tuple[str, ...]
    is_group: bool
    arguments: Node

    @cached_property
    def _given(self) -> list[Node]:
        return [each for each in self.arguments.named_children if each.type != "comment"]

    @cached_property
    def title_node(self) -> Node | None:
        return self._given[0] if self._given and self._given[0] != self.callback else None

    @cached_property
    def callback(self) -> Node | None:
        return next((each for each in self._given[:3] if each.type in _FUNCTIONS), None)

    @property
    def is_plain(self) -> bool:
        return all(each in _HARMLESS for each in self.modifiers) and not self._is_optional

    @property
    def _is_optional(self) -> bool:
        """Vitest: `describe('...', { skip: true }, ...)`."""
        options = [each for each in self._given[1:3] if each.type == "object"] if self.is_group else []
        words = [each.text or b"" for each in options]
        return any(word in text for text in words for word in _OPTIONS)

    @property
    def body(self) -> Node | None:
        """Return the callback's block; None for an arrow function with an expression body."""
        body = self.callback.child_by_field_name("body") if self.callback else None
        return body if body is not None and body.type == "statement_block" else None


def unwrapped(statement: Node) -> Node | None:
    """Return the expression of a statement, without `await`, `void` and parentheses around it."""
    node = statement.named_child(0) if statement.type == "expression_statement" else None
    if node is None:
        return None
    while node.type in _WRAPPERS and node.named_children:
        node = node.named_children[-1 if node.type == "unary_expression" else 0]
    return node


def read_call(document: Document, statement: Node, names: Names) -> Call | None:
    """Return the test or group that a statement defines. `names` maps the file's names to the framework's."""
    expression = unwrapped(statement)
    return None if expression is None else _read(document, statement, expression, names)


def read_arrow_body(document: Document, body: Node, names: Names) -> Call | None:
    """Return the test or group that is the only expression of an arrow function."""
    return _read(document, body, body, names)


def _read(document: Document, statement: Node, expression: Node, names: Names) -> Call | None:
    """Read a call if its function chain resolves to a test or a group."""
    call = _configured(document, expression)
    if call is None:
        return None
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or arguments is None or arguments.type != "arguments":
        return None
    if function.type == "identifier":
        chain: tuple[str, ...] = (text_of(document, function),)
    else:
        chain = chain_of(document, function)
    if not chain:
        return None
    kind = names.resolve(chain)
    if kind is None:
        return None
    found = Call(statement, expression, *kind, arguments)
    # A function of the project with a test-like name: it defines a test only if it takes a callback.
    if UNKNOWN in found.modifiers and found.callback is None:
        return None
    return found


class Names(dict[str, tuple[str, ...]]):
    """Maps the file's names for tests and groups to the framework's names."""

    def __init__(self) -> None:
        super().__init__({name: (name,) for name in KNOWN})
        self._resolved: dict[tuple[str, ...], tuple[str, tuple[str, ...], bool] | None] = {}

    def resolve(self, chain: tuple[str, ...]) -> tuple[str, tuple[str, ...], bool] | None:
        """Return the function's name in the file, its modifiers, and whether it defines a group.

        Chains that only name a test function, such as `v.it`, are resolved too.
        """
        if chain not in self._resolved:
            self._resolved[chain] = _resolve(chain, self) if chain[0] in self else _guess(chain)
        return self._resolved[chain]


def _resolve(
    chain: tuple[str, ...], names: Mapping[str, tuple[str, ...]]
) -> tuple[str, tuple[str, ...], bool] | None:
    """Resolve a chain by the file's names, and turn `xit` and `fdescribe` into modifiers."""
    meaning = (*names[chain[0]], *chain[1:])
    length = 1
    if meaning[0] == "*":
        meaning, length = meaning[1:], 2
    if not meaning or meaning[0] not in KNOWN:
        return None
    known, modifiers = meaning[0], list(meaning[1:])
    implied = len(names[chain[0]]) - 1 if length == 1 else 0
    root = chain[:length]
    if known in SKIPPED or known in FOCUSED:
        modifiers.insert(0, "skip" if known in SKIPPED else "only")
        plain = SKIPPED.get(known) or FOCUSED[known]
        root = (*chain[: length - 1], plain)
        known = plain
    # `test.describe` is a group.
    if known in TESTS and "describe" in modifiers[:1] and not implied:
        known, root = "describe", (*root, modifiers.pop(0))
    return ".".join(root), tuple(modifiers), known in GROUPS


def _guess(chain: tuple[str, ...]) -> tuple[str, tuple[str, ...], bool] | None:
    """Return a project's own function that looks as if it defined tests; its effect is unknown."""
    if not _LOOKS_LIKE_ONE.fullmatch(chain[0]):
        return None
    return chain[0], (UNKNOWN,), "describe" in chain[0].lower()


def chain_of(document: Document, node: Node | None) -> tuple[str, ...]:
    """Return `v.it.skip` as its names, without calls in between (`it.each(...)`); empty for anything else."""
    parts: list[str] = []
    while node is not None and len(parts) < _MAX_CHAIN_LENGTH:
        if node.type == "identifier":
            return (text_of(document, node), *reversed(parts))
        if node.type == "member_expression":
            name = node.child_by_field_name("property")
            parts.append(text_of(document, name) if name else "")
            node = node.child_by_field_name("object")
        elif node.type == "call_expression":
            node = node.child_by_field_name("function")
        elif node.type in _WRAPPERS and node.named_children:
            node = node.named_children[0]
        else:
            return ()
    return ()


def _configured(document: Document, expression: Node) -> Node | None:
    """Return the inner call where methods are called on its result: `it(...).timeout(100)`."""
    node: Node | None = expression
    while node is not None and node.type == "call_expression":
        function = node.child_by_field_name("function")
        if function is None or function.type != "member_expression":
            return node
        name, inner = function.child_by_field_name("property"), function.child_by_field_name("object")
        if name is None or inner is None or inner.type != "call_expression":
            return node
        if text_of(document, name) not in _CONFIGURES:
            return node
        node = inner
    return None
