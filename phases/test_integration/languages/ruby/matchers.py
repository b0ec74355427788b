"""Rewrites a test's assertions in the file's assertion style, where the meaning is the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tree_sitter import Node

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.languages.ruby.assertions import (
    Assertion,
    as_assert,
    as_expect,
    by_assert,
    by_expect,
    statements,
)
from phases.test_integration.languages.ruby.dialect import Dialect
from phases.test_integration.languages.ruby.outline import Outline
from phases.test_integration.languages.ruby.snippet import Snippet
from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.read.syntax import walk

_EXPECT = re.compile(rb"\bexpect\s*[({]|\bexpect do\b|\bis_expected\b")
# The parts of a line with `expect(...).to` or `is_expected.`
_TO = re.compile(
    rb"(?P<opens>\bexpect\s*[({])|(?P<closes>[)}]\.(?:to|not_to|to_not)\b)|(?P<is>\bis_expected\.)|\n"
)
_SHOULD = re.compile(rb"\.should(?:_not)?\b")
_ASSERT = re.compile(rb"\b(?:assert|refute)(?:_\w+)?\b")
_ASSERTS = re.compile(r"(?:assert|refute)(?:_\w+)?")
_MUST = re.compile(r"(?:must|wont)_\w+")
_SHOULDS = ("should", "should_not")
_SIMPLE = re.compile(r"[\w@.:]+[?!]?(?:\([^()]*\))?")
_HEREDOC = re.compile(rb"<<[~-]?[\w'\"`]")
_OPERATORS = {"==": "eq", "=~": "match"}
_Change = tuple[Node, Node, str]  # the replaced node, the word that names the assertion, the new text


def in_style(
    snippet: Snippet, outline: Outline, dialect: Dialect
) -> tuple[Snippet, tuple[InsertionWarning, ...]]:
    """Return the code with assertions that the file can run, or a warning where some cannot be rewritten."""
    steps = _in_classes(outline) if dialect.has_methods else _in_examples(outline)
    for find, change, style in steps:
        words = [node for node in _words(snippet) if find(snippet, node)]
        if not words:
            continue
        changed = _rewritten(snippet, words, change)
        if changed is None:
            message = f"the test's assertions are not all of a kind that can be written as {style}"
            return snippet, (InsertionWarning("matcher_style", message),)
        snippet = changed
    return snippet, ()


_Step = tuple[Callable[[Snippet, Node], bool], Callable[[Snippet, Node], _Change | None], str]


def _in_examples(outline: Outline) -> list[_Step]:
    """Return the steps for RSpec, where `should` may be disabled and `assert` does not exist."""
    content = outline.document.content
    steps: list[_Step] = []
    is_should = bool(_SHOULD.search(content)) and not _EXPECT.search(content)
    if not _ASSERT.search(content):
        steps.append((_is_assert, _expect_of_assert, "expect(x).to eq(y)"))
    if is_should:
        steps.append((_is_expect, _should_of_expect, "x.should eq(y)"))
    elif not _SHOULD.search(content):
        steps.append((_is_should, _expect_of_should, "expect(x).to eq(y)"))
    return steps


def _in_classes(outline: Outline) -> list[_Step]:
    """Return the steps for minitest, which has RSpec's matchers only where the project adds them."""
    content = outline.document.content
    if _has_expectation(content) or _SHOULD.search(content):
        return []
    return [
        (_is_should, _expect_of_should, "assert_equal y, x"),
        (_is_expect, _assert_of_expect, "assert_equal y, x"),
    ]


def _has_expectation(content: bytes) -> bool:
    """Return whether a line has RSpec's `expect(...).to` or `is_expected.`, in one pass."""
    is_open = False
    for found in _TO.finditer(content):
        if found.lastgroup == "is" or (found.lastgroup == "closes" and is_open):
            return True
        if found.lastgroup != "closes":
            is_open = found.lastgroup == "opens"
    return False


def _words(snippet: Snippet) -> list[Node]:
    """Return every name that may be an assertion's."""
    return [node for node in walk(snippet.outline.root) if node.type == "identifier"]


def _is_assert(snippet: Snippet, word: Node) -> bool:
    text = snippet.text(word)
    return bool(_ASSERTS.fullmatch(text) or _MUST.fullmatch(text))


def _is_expect(snippet: Snippet, word: Node) -> bool:
    return snippet.text(word) in ("expect", "is_expected") and word.type == "identifier"


def _is_should(snippet: Snippet, word: Node) -> bool:
    """Return whether it is `x.should`; a bare `should` refers to the subject and always works."""
    if snippet.text(word) not in _SHOULDS:
        return False
    # Scanned backwards: reading the text before every word would take quadratic time.
    code, end = snippet.outline.document.content, word.start_byte
    while end and code[end - 1 : end].isspace():
        end -= 1
    return code[end - 1 : end] == b"."


def _expect_of_assert(snippet: Snippet, node: Node) -> _Change | None:
    return _changed(by_assert(snippet, node) if node.type == "call" else None, as_expect)


def _assert_of_expect(snippet: Snippet, node: Node) -> _Change | None:
    return _changed(by_expect(snippet, node) if node.type == "call" else None, as_assert)


def _changed(found: Assertion | None, render: Callable[[Assertion], str]) -> _Change | None:
    return (found.node, found.word, render(found)) if found else None


def _expect_of_should(snippet: Snippet, node: Node) -> _Change | None:
    """Rewrite `x.should eq(y)` and `x.should == y` as `expect(x).to`."""
    call = node if node.type == "call" else node.child_by_field_name("left")
    receiver = call.child_by_field_name("receiver") if call is not None else None
    method = call.child_by_field_name("method") if call is not None else None
    if call is None or receiver is None or method is None or snippet.text(method) not in _SHOULDS:
        return None
    given = f"expect{_block(snippet, receiver) or '(' + snippet.text(receiver) + ')'}"
    head = f"{given}.{'to' if snippet.text(method) == 'should' else 'not_to'}"
    if node.type == "call":
        return node, method, head + snippet.outline.document.content[method.end_byte : node.end_byte].decode()
    operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
    matcher = _OPERATORS.get(snippet.text(operator)) if operator is not None else None
    if matcher is None or right is None or call.child_by_field_name("arguments") is not None:
        return None
    return node, method, f"{head} {matcher}({snippet.text(right)})"


def _block(snippet: Snippet, receiver: Node) -> str:
    """Return the block of `lambda { }`, `proc { }` or `-> { }`."""
    method = receiver.child_by_field_name("method") if receiver.type == "call" else None
    body = receiver.child_by_field_name("block") if method is not None else None
    if method is not None and snippet.text(method) not in ("lambda", "proc"):
        return ""
    if receiver.type == "lambda" and not receiver.child_by_field_name("parameters"):
        body = receiver.child_by_field_name("body")
    return f" {snippet.text(body)}" if body is not None else ""


def _should_of_expect(snippet: Snippet, node: Node) -> _Change | None:
    """Rewrite `expect(x).to eq(y)` as `x.should`."""
    receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
    if receiver is None or method is None or receiver.type != "call":
        return None
    word, block = receiver.child_by_field_name("method"), receiver.child_by_field_name("block")
    arguments = receiver.child_by_field_name("arguments")
    values = arguments.named_children if arguments is not None else []
    is_ours = (
        word is not None and snippet.text(word) == "expect" and not receiver.child_by_field_name("receiver")
    )
    to = {"to": "should", "not_to": "should_not", "to_not": "should_not"}.get(snippet.text(method))
    if word is None or not is_ours or to is None or len(values) != (0 if block else 1):
        return None
    given = f"lambda {snippet.text(block)}" if block else _parenthesized(snippet.text(values[0]))
    rest = snippet.outline.document.content[method.end_byte : node.end_byte].decode()
    return node, word, f"{given}.{to}{rest}"


def _parenthesized(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else f"({text})"


def _rewritten(
    snippet: Snippet, words: Sequence[Node], change: Callable[[Snippet, Node], _Change | None]
) -> Snippet | None:
    """Return the rewritten code, None where a word is not part of an assertion that can be rewritten."""
    found = {each[0].id: each for node in statements(snippet) if (each := change(snippet, node))}
    changes = sorted(found.values(), key=lambda each: -each[0].start_byte)
    if {each[1].start_byte for each in changes} != {word.start_byte for word in words}:
        return None
    code = snippet.outline.document.content
    edits: list[tuple[int, int, bytes]] = []
    end = len(code)
    for node, _, text in changes:
        if node.end_byte > end or len(_HEREDOC.findall(code, node.start_byte, node.end_byte)) > 1:
            return None  # one is inside another, or their heredocs would change places
        end = node.start_byte
        edits.append((node.start_byte, node.end_byte, text.encode()))
    return Snippet.parsed(apply_edits(code, edits).decode().removesuffix("\n"))
