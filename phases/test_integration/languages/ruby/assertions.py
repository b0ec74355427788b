"""Reads assertions: RSpec's `expect(x).to eq(y)` and minitest's `assert_equal y, x`.

Only assertions with the same meaning in both are read; the others stay as they were written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.languages.ruby.snippet import Snippet

# kind: RSpec's matcher, minitest's method, and whether the expected value comes first.
_KINDS: dict[str, tuple[str, str, bool]] = {
    "equal": ("eq", "equal", True),
    "same": ("equal", "same", True),
    "nil": ("be_nil", "nil", False),
    "truthy": ("be_truthy", "", False),
    "empty": ("be_empty", "empty", False),
    "includes": ("include", "includes", False),
    "matches": ("match", "match", True),
    "kind": ("be_a", "kind_of", True),
    "instance": ("be_an_instance_of", "instance_of", True),
    "raises": ("raise_error", "raises", True),
}
_ALONE = {"nil", "truthy", "empty"}
_MATCHERS = {
    **{matcher: kind for kind, (matcher, _, _) in _KINDS.items()},
    **dict.fromkeys(("eql",), "equal"),
    **dict.fromkeys(("be_an", "be_kind_of", "be_a_kind_of"), "kind"),
    **dict.fromkeys(("be_instance_of",), "instance"),
}
_OPPOSITES = {"be_falsey": "truthy", "be_falsy": "truthy"}
_METHODS = {
    **{f"assert_{word}".rstrip("_"): (kind, False) for kind, (_, word, _) in _KINDS.items()},
    **{
        f"refute_{word}".rstrip("_"): (kind, True)
        for kind, (_, word, _) in _KINDS.items()
        if word != "raises"
    },
    **{
        f"assert_not_{word}": (kind, True)
        for kind, (_, word, _) in _KINDS.items()
        if word and word not in ("raises", "match")
    },
    "assert_not": ("truthy", True),
    "assert_no_match": ("matches", True),
}
_TO = {"to": False, "not_to": True, "to_not": True}
# An assertion directly in one of these is a statement; elsewhere its value may be used.
_BODIES = {"program", "body_statement", "block_body", "then", "else", "begin", "ensure", "rescue"}
_BODIES |= {"if_modifier", "unless_modifier", "parenthesized_statements"}


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion; `word` names it. For `raises`, `actual` is a block with its delimiters."""

    node: Node
    word: Node
    kind: str
    actual: str
    expected: str = ""
    is_negated: bool = False


def statements(snippet: Snippet) -> Iterator[Node]:
    """Yield every call and comparison that is a statement."""
    stack = [snippet.outline.root]
    while stack:
        node = stack.pop()
        if node.type in _BODIES:
            yield from (each for each in node.named_children if each.type in ("call", "binary"))
        stack.extend(reversed(node.named_children))


def by_expect(snippet: Snippet, call: Node) -> Assertion | None:
    """Read `expect(x).to eq(y)` or `expect { f }.to raise_error(E)`."""
    receiver, method = call.child_by_field_name("receiver"), call.child_by_field_name("method")
    if receiver is None or method is None or snippet.text(method) not in _TO:
        return None
    word, actual = _expect_call(snippet, receiver)
    arguments = _plain(call)
    if word is None or arguments is None or len(arguments) != 1 or call.child_by_field_name("block"):
        return None
    is_negated = _TO[snippet.text(method)]
    name, expected = _matcher(snippet, arguments[0])
    if name in _OPPOSITES:
        is_negated, name = not is_negated, "be_truthy"
    kind = _MATCHERS.get(name, "")
    is_block = receiver.child_by_field_name("block") is not None
    if not kind or expected is None or is_block != (kind == "raises"):
        return None
    return _compared(snippet, Assertion(call, word, kind, actual, "", is_negated), expected)


def by_assert(snippet: Snippet, call: Node) -> Assertion | None:
    """Read `assert_equal y, x` or `assert_raises(E) { f }`."""
    method = call.child_by_field_name("method")
    if method is None or call.child_by_field_name("receiver") is not None:
        return None
    kind, is_negated = _METHODS.get(snippet.text(method), ("", False))
    arguments, block = _plain(call), call.child_by_field_name("block")
    if not kind or arguments is None or (block is not None) != (kind == "raises"):
        return None
    if block is not None:
        return _compared(
            snippet, Assertion(call, method, kind, snippet.text(block), "", is_negated), arguments
        )
    if len(arguments) != (1 if kind in _ALONE else 2):
        return None
    if kind not in _ALONE and _KINDS[kind][2]:
        arguments = arguments[::-1]
    actual = Assertion(call, method, kind, snippet.text(arguments[0]), "", is_negated)
    return _compared(snippet, actual, arguments[1:])


def _expect_call(snippet: Snippet, receiver: Node) -> tuple[Node | None, str]:
    """Return the node `expect` and its argument."""
    method = receiver.child_by_field_name("method") if receiver.type == "call" else None
    if method is None or snippet.text(method) != "expect" or receiver.child_by_field_name("receiver"):
        return None, ""
    block, arguments = receiver.child_by_field_name("block"), _plain(receiver)
    if block is not None:
        return (method, snippet.text(block)) if not arguments else (None, "")
    return (method, snippet.text(arguments[0])) if arguments and len(arguments) == 1 else (None, "")


def _matcher(snippet: Snippet, node: Node) -> tuple[str, list[Node] | None]:
    if node.type == "identifier":
        return snippet.text(node), []
    method = node.child_by_field_name("method") if node.type == "call" else None
    if method is None or node.child_by_field_name("receiver") or node.child_by_field_name("block"):
        return "", None
    return snippet.text(method), _plain(node)


def _compared(snippet: Snippet, found: Assertion, expected: list[Node]) -> Assertion | None:
    if len(expected) != (0 if found.kind in _ALONE else 1):
        return None
    if found.kind == "matches" and expected[0].type != "regex":
        return None  # RSpec turns a string into a pattern, minitest searches for the string
    if found.kind == "raises" and (
        found.is_negated or expected[0].type not in ("constant", "scope_resolution")
    ):
        return None
    text = snippet.text(expected[0]) if expected else ""
    kind = found.kind
    if kind == "equal" and text == "nil":
        kind, text = "nil", ""
    return Assertion(found.node, found.word, kind, found.actual, text, found.is_negated)


def _plain(call: Node) -> list[Node] | None:
    """Return a call's arguments, None where one is not a plain value."""
    arguments = call.child_by_field_name("arguments")
    found = arguments.named_children if arguments is not None else []
    odd = ("pair", "block_argument", "splat_argument", "hash_splat_argument", "comment")
    return None if any(each.type in odd for each in found) else found


def as_expect(each: Assertion) -> str:
    matcher = _KINDS[each.kind][0] + (f"({each.expected})" if each.expected else "")
    actual = f" {each.actual}" if each.kind == "raises" else f"({each.actual})"
    return f"expect{actual}.{'not_to' if each.is_negated else 'to'} {matcher}"


def as_assert(each: Assertion) -> str:
    """Return the assertion as minitest writes it."""
    _, word, expected_first = _KINDS[each.kind]
    method = ("refute_" if each.is_negated else "assert_") + word
    if each.kind == "raises":
        return f"{method}({each.expected}) {each.actual}"
    values = [each.actual, *filter(None, [each.expected])]
    text = ", ".join(reversed(values) if expected_first else values)
    is_safe = text[:1].isalnum() or text[:1] in "_@'\":"
    return f"{method.rstrip('_')} {text}" if is_safe else f"{method.rstrip('_')}({text})"
