"""Reads assertions: `expect(x).toBe(y)`, `expect(x).to.equal(y)`, `x.should` or `assert`.

Only assertions with the same meaning in every style are read; the others stay as they were written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tree_sitter import Node

from phases.test_integration.languages.javascript.bindings import text_of
from phases.test_integration.languages.javascript.snippet import Snippet
from phases.test_integration.read.document import Document


class AssertionStyle(StrEnum):
    """The syntax of an assertion."""

    JEST = "expect(x).toBe(y)"
    CHAI = "expect(x).to.equal(y)"
    CHAI_ASSERT = "chai's assert.equal(x, y)"
    NODE_ASSERT = "node's assert.equal(x, y)"
    SHOULD = "x.should.equal(y)"


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion; it starts with `root`, the name or `.should`. `expected` is None for no comparison."""

    node: Node
    root: Node
    style: AssertionStyle
    kind: str
    actual: str
    expected: str | None = None
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    arguments: list[Node] | None = None


_CHAIN_WORDS = frozenset(
    {"to", "be", "been", "is", "that", "which", "and", "has", "have", "with", "at", "of", "same", "an", "a"}
)
_JEST = {
    "toBe": "same",
    "toEqual": "deep",
    "toStrictEqual": "deep",
    "toContain": "contains",
    "toMatch": "matches",
    "toThrow": "throws",
    "toThrowError": "throws",
    "toBeGreaterThan": "above",
    "toBeLessThan": "below",
    "toBeGreaterThanOrEqual": "at least",
    "toBeLessThanOrEqual": "at most",
    "toBeInstanceOf": "instance",
    "toHaveLength": "length",
}
# Matchers without an argument: kind, expected value, whether they negate.
_JEST_ALONE = {
    "toBeTruthy": ("truthy", None, False),
    "toBeFalsy": ("truthy", None, True),
    "toBeNull": ("same", "null", False),
    "toBeUndefined": ("same", "undefined", False),
    "toBeDefined": ("same", "undefined", True),
}
_CHAI = {
    **dict.fromkeys(("equal", "equals", "eq"), "same"),
    **dict.fromkeys(("eql", "eqls"), "deep"),
    **dict.fromkeys(("include", "includes", "contain", "contains"), "contains"),
    **dict.fromkeys(("match", "matches"), "matches"),
    **dict.fromkeys(("throw", "throws", "Throw"), "throws"),
    **dict.fromkeys(("above", "gt", "greaterThan"), "above"),
    **dict.fromkeys(("below", "lt", "lessThan"), "below"),
    **dict.fromkeys(("least", "gte"), "at least"),
    **dict.fromkeys(("most", "lte"), "at most"),
    **dict.fromkeys(("instanceof", "instanceOf"), "instance"),
    "lengthOf": "length",
}
_CHAI_ALONE = {"ok": ("truthy", None), **{word: ("same", word) for word in ("true", "false", "null")}}
_CHAI_ALONE["undefined"] = ("same", "undefined")
_ASSERT: dict[str, tuple[str, bool]] = {
    "strictEqual": ("same", False),
    "notStrictEqual": ("same", True),
    "equal": ("same", False),
    "notEqual": ("same", True),
    "deepStrictEqual": ("deep", False),
    "notDeepStrictEqual": ("deep", True),
    "deepEqual": ("deep", False),
    "notDeepEqual": ("deep", True),
    "match": ("matches", False),
    "throws": ("throws", False),
    "doesNotThrow": ("throws", True),
    "doesNotMatch": ("matches", True),
}
_ASSERT_ALONE: dict[str, tuple[str, str | None, bool]] = {"ok": ("truthy", None, False)}
_CHAI_ASSERT: dict[str, tuple[str, bool]] = {
    "notMatch": ("matches", True),
    "include": ("contains", False),
    "notInclude": ("contains", True),
    "isAbove": ("above", False),
    "isBelow": ("below", False),
    "isAtLeast": ("at least", False),
    "isAtMost": ("at most", False),
    "instanceOf": ("instance", False),
    "lengthOf": ("length", False),
}
_CHAI_ASSERT_ALONE: dict[str, tuple[str, str | None, bool]] = {
    "isOk": ("truthy", None, False),
    "isNotOk": ("truthy", None, True),
    "notOk": ("truthy", None, True),
    "isTrue": ("same", "true", False),
    "isFalse": ("same", "false", False),
    "isNull": ("same", "null", False),
    "isNotNull": ("same", "null", True),
    "isUndefined": ("same", "undefined", False),
    "isDefined": ("same", "undefined", True),
}
_LOOSE = {"equal", "notEqual"}  # they compare with `==`
_PLAIN_LITERALS = {"string", "number", "template_string"}
_NOT_ALIKE = {"NaN", "-0"}  # `toBe` treats NaN as equal to NaN, `===` does not
# Not every style can negate these.
_ONE_WAY = {"above", "below", "at least", "at most", "instance", "length"}
_ARROW = "arrow_function"


def read_assertions(snippet: Snippet) -> list[Assertion]:
    """Return the assertions that are statements, or the whole body of an arrow function."""
    found = (_read(snippet.document, each) for each in _standing_alone(snippet))
    return [each for each in found if each is not None]


def _standing_alone(snippet: Snippet) -> Iterator[Node]:
    for node in snippet.nodes:
        if node.type == "expression_statement" and node.named_children:
            yield node.named_children[0]
        elif node.type == _ARROW:
            body = node.child_by_field_name("body")
            if body is not None and body.type != "statement_block":
                yield body


def _read(document: Document, node: Node) -> Assertion | None:
    """Read a chain of members and calls from its end to its root: `expect`, `assert` or `.should`."""
    steps: list[_Step] = []
    inner: Node | None = node
    while inner is not None:
        arguments = None
        if inner.type == "call_expression":
            arguments = _arguments(inner)
            inner = inner.child_by_field_name("function")
            if inner is None or arguments is None:
                return None
        if inner.type == "identifier":
            return _from_root(document, node, inner, arguments, steps[::-1])
        name = inner.child_by_field_name("property") if inner.type == "member_expression" else None
        if name is None or any(each.type == "optional_chain" for each in inner.children):
            return None
        below = inner.child_by_field_name("object")
        if text_of(document, name) == "should" and arguments is None and below is not None:
            return _of_chai_chain(document, node, name, AssertionStyle.SHOULD, below, steps[::-1])
        steps.append(_Step(text_of(document, name), arguments))
        inner = below
    return None


def _arguments(call: Node) -> list[Node] | None:
    """Return the arguments of a call, None where one is not a plain value."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return None
    found = arguments.named_children
    return None if any(each.type in ("comment", "spread_element") for each in found) else found


def _from_root(
    document: Document, node: Node, root: Node, arguments: list[Node] | None, steps: list[_Step]
) -> Assertion | None:
    name = text_of(document, root)
    if name == "expect" and arguments is not None and len(arguments) == 1 and steps:
        if steps[-1].name.startswith("to") and steps[-1].name != "to":
            return _of_jest(document, node, root, arguments[0], steps)
        return _of_chai_chain(document, node, root, AssertionStyle.CHAI, arguments[0], steps)
    if name == "assert":
        if arguments is not None:
            return _of_assert(document, node, root, _Step("ok", arguments)) if not steps else None
        return _of_assert(document, node, root, steps[0]) if len(steps) == 1 else None
    return None


def _of_jest(
    document: Document, node: Node, root: Node, actual: Node, steps: list[_Step]
) -> Assertion | None:
    """Read `expect(x).toBe(y)`, with an optional `.not`."""
    is_negated = steps[0] == _Step("not")
    last = steps[-1]
    if len(steps) != 1 + is_negated or last.arguments is None:
        return None
    value = text_of(document, actual)
    if last.name in _JEST_ALONE and not last.arguments:
        kind, expected, turned = _JEST_ALONE[last.name]
        return Assertion(node, root, AssertionStyle.JEST, kind, value, expected, is_negated != turned)
    kind = _JEST.get(last.name, "")
    if last.name == "toMatch" and last.arguments and last.arguments[0].type in ("string", "template_string"):
        kind = "contains"
    return _compared(document, node, root, AssertionStyle.JEST, kind, value, last.arguments, is_negated)


def _of_chai_chain(
    document: Document, node: Node, root: Node, style: AssertionStyle, actual: Node, steps: list[_Step]
) -> Assertion | None:
    """Read a chain of chai's words."""
    is_negated = is_deep = False
    for step in steps[:-1]:
        if step.arguments is not None or step.name not in _CHAIN_WORDS | {"not", "deep"}:
            return None
        is_negated ^= step.name == "not"
        is_deep |= step.name == "deep"
    last, value = steps[-1] if steps else _Step(""), text_of(document, actual)
    if last.arguments is None and last.name in _CHAI_ALONE and not is_deep:
        kind, expected = _CHAI_ALONE[last.name]
        return Assertion(node, root, style, kind, value, expected, is_negated)
    kind = _CHAI.get(last.name, "")
    if is_deep and kind not in ("same", "deep"):
        return None
    if kind == "contains" and not _is_literal(last.arguments):
        return None  # chai also looks for a part of an object
    kind = "deep" if is_deep else kind
    return _compared(document, node, root, style, kind, value, last.arguments, is_negated)


def _of_assert(document: Document, node: Node, root: Node, step: _Step) -> Assertion | None:
    """Read a call of Node's or chai's `assert`."""
    own = _ASSERT | _CHAI_ASSERT
    alone = _ASSERT_ALONE | _CHAI_ASSERT_ALONE
    style = AssertionStyle.CHAI_ASSERT if is_chai_only(step.name) else AssertionStyle.NODE_ASSERT
    arguments = step.arguments
    if not arguments:
        return None
    value = text_of(document, arguments[0])
    if step.name in alone and len(arguments) == 1:
        kind, expected, is_negated = alone[step.name]
        return Assertion(node, root, style, kind, value, expected, is_negated)
    if step.name not in own:
        return None
    kind, is_negated = own[step.name]
    # For other values, the methods of the styles compare differently.
    if (step.name in _LOOSE or kind == "contains") and not _is_literal(arguments[1:]):
        return None
    return _compared(document, node, root, style, kind, value, arguments[1:], is_negated)


def is_chai_only(name: str) -> bool:
    """Return whether chai's `assert` has the method and Node's does not."""
    return name in _CHAI_ASSERT or name in _CHAI_ASSERT_ALONE


def _compared(
    document: Document,
    node: Node,
    root: Node,
    style: AssertionStyle,
    kind: str,
    actual: str,
    arguments: list[Node] | None,
    is_negated: bool,
) -> Assertion | None:
    """Return the assertion if its expected value means the same in every style."""
    if not kind or arguments is None or (is_negated and kind in _ONE_WAY):
        return None
    if kind == "throws" and not arguments:
        return Assertion(node, root, style, kind, actual, None, is_negated)
    if len(arguments) != 1 or (kind == "throws" and (is_negated or not _is_thrown(document, arguments[0]))):
        return None
    expected = text_of(document, arguments[0])
    if expected in _NOT_ALIKE or (kind == "matches" and arguments[0].type != "regex"):
        return None
    return Assertion(node, root, style, kind, actual, expected, is_negated)


def _is_thrown(document: Document, node: Node) -> bool:
    """Return whether it is a pattern or a class; a string means something different in each style."""
    return node.type == "regex" or (node.type == "identifier" and text_of(document, node)[:1].isupper())


def _is_literal(arguments: list[Node] | None) -> bool:
    return bool(arguments) and arguments is not None and arguments[0].type in _PLAIN_LITERALS
