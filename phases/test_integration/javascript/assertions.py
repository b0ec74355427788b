"""What a test's code asserts, by `expect(x).toBe(y)`, `expect(x).to.equal(y)`, `x.should` or `assert`.

Only what has the same meaning in each of them is read; the rest is left to who wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tree_sitter import Node

from phases.test_integration.document import Document
from phases.test_integration.javascript.bindings import text_of
from phases.test_integration.javascript.snippet import Snippet


class Style(StrEnum):
    """How an assertion is written."""

    JEST = "expect(x).toBe(y)"
    CHAI = "expect(x).to.equal(y)"
    CHAI_ASSERT = "chai's assert.equal(x, y)"
    NODE_ASSERT = "node's assert.equal(x, y)"
    SHOULD = "x.should.equal(y)"


@dataclass(frozen=True, slots=True)
class Assertion:
    """`root` is the name or the `.should` that it hangs on; `wanted` is None where nothing is compared."""

    node: Node
    root: Node
    style: Style
    kind: str
    given: str
    wanted: str | None = None
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    arguments: list[Node] | None = None


_WORDS = frozenset(
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
# What is compared with nothing: its kind, the value, whether it is turned round.
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
_LOOSE = {"equal", "notEqual"}  # by `==`
_PLAIN_LITERALS = {"string", "number", "template_string"}
_NOT_ALIKE = {"NaN", "-0"}  # `toBe` finds NaN in NaN, and `===` does not
_ONE_WAY = {"above", "below", "at least", "at most", "instance", "length"}
_ARROW = "arrow_function"


def read_assertions(snippet: Snippet) -> list[Assertion]:
    """Those that stand alone: as a statement, or as all that an arrow function has."""
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
    steps: list[_Step] = []
    inner: Node | None = node
    while inner is not None:
        given = None
        if inner.type == "call_expression":
            given = _arguments(inner)
            inner = inner.child_by_field_name("function")
            if inner is None or given is None:
                return None
        if inner.type == "identifier":
            return _rooted(document, node, inner, given, steps[::-1])
        name = inner.child_by_field_name("property") if inner.type == "member_expression" else None
        if name is None or any(each.type == "optional_chain" for each in inner.children):
            return None
        below = inner.child_by_field_name("object")
        if text_of(document, name) == "should" and given is None and below is not None:
            return _of_words(document, node, name, Style.SHOULD, below, steps[::-1])
        steps.append(_Step(text_of(document, name), given))
        inner = below
    return None


def _arguments(call: Node) -> list[Node] | None:
    """None for what has more to it than values."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return None
    found = arguments.named_children
    return None if any(each.type in ("comment", "spread_element") for each in found) else found


def _rooted(
    document: Document, node: Node, root: Node, given: list[Node] | None, steps: list[_Step]
) -> Assertion | None:
    name = text_of(document, root)
    if name == "expect" and given is not None and len(given) == 1 and steps:
        if steps[-1].name.startswith("to") and steps[-1].name != "to":
            return _of_jest(document, node, root, given[0], steps)
        return _of_words(document, node, root, Style.CHAI, given[0], steps)
    if name == "assert":
        if given is not None:
            return _of_assert(document, node, root, _Step("ok", given)) if not steps else None
        return _of_assert(document, node, root, steps[0]) if len(steps) == 1 else None
    return None


def _of_jest(document: Document, node: Node, root: Node, given: Node, steps: list[_Step]) -> Assertion | None:
    is_negated = steps[0] == _Step("not")
    last = steps[-1]
    if len(steps) != 1 + is_negated or last.arguments is None:
        return None
    value = text_of(document, given)
    if last.name in _JEST_ALONE and not last.arguments:
        kind, wanted, turned = _JEST_ALONE[last.name]
        return Assertion(node, root, Style.JEST, kind, value, wanted, is_negated != turned)
    kind = _JEST.get(last.name, "")
    if last.name == "toMatch" and last.arguments and last.arguments[0].type in ("string", "template_string"):
        kind = "contains"
    return _compared(document, node, root, Style.JEST, kind, value, last.arguments, is_negated)


def _of_words(
    document: Document, node: Node, root: Node, style: Style, given: Node, steps: list[_Step]
) -> Assertion | None:
    """chai's chains of words."""
    is_negated = is_deep = False
    for step in steps[:-1]:
        if step.arguments is not None or step.name not in _WORDS | {"not", "deep"}:
            return None
        is_negated ^= step.name == "not"
        is_deep |= step.name == "deep"
    last, value = steps[-1] if steps else _Step(""), text_of(document, given)
    if last.arguments is None and last.name in _CHAI_ALONE and not is_deep:
        kind, wanted = _CHAI_ALONE[last.name]
        return Assertion(node, root, style, kind, value, wanted, is_negated)
    kind = _CHAI.get(last.name, "")
    if is_deep and kind not in ("same", "deep"):
        return None
    if kind == "contains" and not _is_literal(last.arguments):
        return None  # chai looks for a part of an object too
    kind = "deep" if is_deep else kind
    return _compared(document, node, root, style, kind, value, last.arguments, is_negated)


def _of_assert(document: Document, node: Node, root: Node, step: _Step) -> Assertion | None:
    own = _ASSERT | _CHAI_ASSERT
    alone = _ASSERT_ALONE | _CHAI_ASSERT_ALONE
    style = Style.CHAI_ASSERT if is_chais(step.name) else Style.NODE_ASSERT
    arguments = step.arguments
    if not arguments:
        return None
    value = text_of(document, arguments[0])
    if step.name in alone and len(arguments) == 1:
        kind, wanted, is_negated = alone[step.name]
        return Assertion(node, root, style, kind, value, wanted, is_negated)
    if step.name not in own:
        return None
    kind, is_negated = own[step.name]
    if (step.name in _LOOSE or kind == "contains") and not _is_literal(arguments[1:]):
        return None
    return _compared(document, node, root, style, kind, value, arguments[1:], is_negated)


def is_chais(name: str) -> bool:
    """Whether chai's `assert` has the method, and node's has not."""
    return name in _CHAI_ASSERT or name in _CHAI_ASSERT_ALONE


def _compared(
    document: Document,
    node: Node,
    root: Node,
    style: Style,
    kind: str,
    given: str,
    arguments: list[Node] | None,
    is_negated: bool,
) -> Assertion | None:
    if not kind or arguments is None or (is_negated and kind in _ONE_WAY):
        return None
    if kind == "throws" and not arguments:
        return Assertion(node, root, style, kind, given, None, is_negated)
    if len(arguments) != 1 or (kind == "throws" and (is_negated or not _is_thrown(document, arguments[0]))):
        return None
    wanted = text_of(document, arguments[0])
    if wanted in _NOT_ALIKE or (kind == "matches" and arguments[0].type != "regex"):
        return None
    return Assertion(node, root, style, kind, given, wanted, is_negated)


def _is_thrown(document: Document, node: Node) -> bool:
    """A pattern or a class; a mere text means something else to each."""
    return node.type == "regex" or (node.type == "identifier" and text_of(document, node)[:1].isupper())


def _is_literal(arguments: list[Node] | None) -> bool:
    return bool(arguments) and arguments is not None and arguments[0].type in _PLAIN_LITERALS
