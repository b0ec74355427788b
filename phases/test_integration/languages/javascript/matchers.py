"""Rewrites a test's assertions in the file's assertion style, where the meaning is the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.languages.javascript.assertions import (
    Assertion,
    AssertionStyle,
    is_chai_only,
    read_assertions,
)
from phases.test_integration.languages.javascript.bindings import Import, text_of
from phases.test_integration.languages.javascript.dialect import FRAMEWORK_MODULES
from phases.test_integration.languages.javascript.outline import Outline
from phases.test_integration.languages.javascript.snippet import Snippet
from phases.test_integration.plan.protocols import InsertionWarning

_LIKE_JEST = FRAMEWORK_MODULES | {"expect", "@playwright/test", "bun:test"}
_NODE_MODULES = frozenset({"assert", "node:assert", "assert/strict", "node:assert/strict"})
_CALLED = {
    name: re.compile(rb"(?<![\w$.])(?:chai\.)?" + name.encode() + rb"\s*[.(]")
    for name in ("expect", "assert")
}
_OF_JEST = re.compile(rb"\)\s*\.(?:not\s*\.\s*|resolves\s*\.\s*|rejects\s*\.\s*)*to[A-Z]\w*\(")
_OF_CHAI = re.compile(rb"\.to\s*\.\s*\w")
_OF_SHOULD = re.compile(rb"\.should\b\s*[.(]|\bshould\s*\(")
_METHODS_OF_ASSERT = re.compile(rb"(?<![\w$.])(?:chai\.)?assert\.(\w+)\(")
_SIMPLE = re.compile(r"[\w$.]+(?:\([^()]*\))?|\d+")

_Methods = Mapping[str, tuple[str, str]]
# The method of each kind of assertion, and the method of its negation.
_JEST: _Methods = {
    "same": ("toBe", ""),
    "deep": ("toEqual", ""),
    "truthy": ("toBeTruthy", ""),
    "contains": ("toContain", ""),
    "matches": ("toMatch", ""),
    "throws": ("toThrow", ""),
    "above": ("toBeGreaterThan", ""),
    "below": ("toBeLessThan", ""),
    "at least": ("toBeGreaterThanOrEqual", ""),
    "at most": ("toBeLessThanOrEqual", ""),
    "instance": ("toBeInstanceOf", ""),
    "length": ("toHaveLength", ""),
}
_CHAI: _Methods = {
    "same": ("equal", ""),
    "deep": ("deep.equal", ""),
    "truthy": ("be.ok", ""),
    "contains": ("include", ""),
    "matches": ("match", ""),
    "throws": ("throw", ""),
    "above": ("be.above", ""),
    "below": ("be.below", ""),
    "at least": ("be.at.least", ""),
    "at most": ("be.at.most", ""),
    "instance": ("be.an.instanceof", ""),
    "length": ("have.lengthOf", ""),
}
_CHAI_ASSERT: _Methods = {
    "same": ("strictEqual", "notStrictEqual"),
    "deep": ("deepEqual", "notDeepEqual"),
    "truthy": ("isOk", "isNotOk"),
    "contains": ("include", "notInclude"),
    "matches": ("match", "notMatch"),
    "throws": ("throws", "doesNotThrow"),
    "above": ("isAbove", ""),
    "below": ("isBelow", ""),
    "at least": ("isAtLeast", ""),
    "at most": ("isAtMost", ""),
    "instance": ("instanceOf", ""),
    "length": ("lengthOf", ""),
}
_NODE_ASSERT: _Methods = {
    "same": ("strictEqual", "notStrictEqual"),
    "deep": ("deepStrictEqual", "notDeepStrictEqual"),
    "matches": ("match", "doesNotMatch"),
    "throws": ("throws", "doesNotThrow"),
}
_SIGNS = {"above": ">", "below": "<", "at least": ">=", "at most": "<=", "instance": "instanceof"}


def in_style(snippet: Snippet, outline: Outline) -> tuple[Snippet, tuple[InsertionWarning, ...]]:
    """Return the code with assertions that the file can run, or a warning where some cannot be rewritten."""
    warnings: list[InsertionWarning] = []
    for root in ("expect", "assert", "should"):
        used = _used(snippet, root)
        target_style = _target_style(outline, root, used) if used else None
        if used is None or target_style is None:
            continue
        changed = _rewritten(snippet, used, target_style)
        if changed is None:
            message = f"the test's assertions are not all of a kind that can be written as {target_style}"
            warnings.append(InsertionWarning("matcher_style", message))
            continue
        snippet = changed
        if _AvailableAssertions(outline).only_should and target_style is AssertionStyle.NODE_ASSERT:
            message = "the file's assertions are written with should, and the new ones with node:assert"
            warnings.append(InsertionWarning("matcher_style", message))
    return snippet, tuple(warnings)


@dataclass(frozen=True, slots=True)
class _UsedAssertions:
    """The assertions with one root, and its offsets. `style` is None for an `assert` of unknown origin."""

    style: AssertionStyle | None
    assertions: Sequence[Assertion]
    positions: frozenset[int]

    @property
    def covers_every_use(self) -> bool:
        return {each.root.start_byte for each in self.assertions} == self.positions


def _used(snippet: Snippet, root: str) -> _UsedAssertions | None:
    """Return the uses of a root; None where the code has none or imports its own."""
    if any(root in each.names and each.source not in FRAMEWORK_MODULES for each in snippet.imports):
        return None
    document = snippet.document
    if root == "should":
        nodes = [
            node
            for node in snippet.nodes
            if node.type == "property_identifier" and text_of(document, node) == root
        ]
    else:
        nodes = snippet.free.get(root, [])
    if not nodes:
        return None
    own = [each for each in read_assertions(snippet) if text_of(document, each.root) == root]
    positions = frozenset(node.start_byte for node in nodes)
    return _UsedAssertions(_style_of(snippet, root, own), own, positions)


def _style_of(snippet: Snippet, root: str, own: Sequence[Assertion]) -> AssertionStyle | None:
    """Return the style of the code's own assertions with this root."""
    if root == "should":
        return AssertionStyle.SHOULD
    code = snippet.document.content
    if root == "expect":
        return (
            AssertionStyle.JEST
            if _OF_JEST.search(code)
            else AssertionStyle.CHAI
            if _OF_CHAI.search(code)
            else None
        )
    is_chai = any(each.style is AssertionStyle.CHAI_ASSERT for each in own) or any(
        is_chai_only(name.decode()) for name in _METHODS_OF_ASSERT.findall(code)
    )
    return AssertionStyle.CHAI_ASSERT if is_chai else None


class _AvailableAssertions:
    """The assertion styles that a file can run."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._content = outline.document.content

    @cached_property
    def _has_chai(self) -> bool:
        return any(each.source == "chai" for each in self._outline.imports)

    @cached_property
    def expect(self) -> AssertionStyle | None:
        """The style of the file's `expect`; None where it is unknown or the file has none."""
        source = self._source("expect")
        if source == "chai":
            return AssertionStyle.CHAI
        if source in _LIKE_JEST or (source is None and self._outline.dialect.name != "mocha"):
            return AssertionStyle.JEST
        jest, chai = (len(each.findall(self._content)) for each in (_OF_JEST, _OF_CHAI))
        if not self.uses("expect") or jest == chai:
            return None
        return AssertionStyle.JEST if jest > chai else AssertionStyle.CHAI

    @property
    def expect_in_use(self) -> AssertionStyle | None:
        return self.expect if self.uses("expect") else None

    @cached_property
    def assertion(self) -> AssertionStyle | None:
        """Return the style of the file's `assert`."""
        source = self._source("assert")
        if source in _NODE_MODULES:
            return AssertionStyle.NODE_ASSERT
        if source == "chai" or (source is not None and self._has_chai):
            return AssertionStyle.CHAI_ASSERT
        names = [each.decode() for each in _METHODS_OF_ASSERT.findall(self._content)]
        if not self.uses("assert"):
            return None
        is_chai = any(map(is_chai_only, names)) or (source is None and self.imports_whole_chai)
        return AssertionStyle.CHAI_ASSERT if is_chai else AssertionStyle.NODE_ASSERT

    @cached_property
    def only_should(self) -> bool:
        return bool(_OF_SHOULD.search(self._content)) and not (self.uses("expect") or self.uses("assert"))

    @cached_property
    def has_should(self) -> bool:
        return bool(_OF_SHOULD.search(self._content))

    @cached_property
    def imports_whole_chai(self) -> bool:
        """Return whether the file imports chai as a namespace, which has `expect`."""
        return any(
            each.source == "chai" and {"*", "default"} & set(each.names.values())
            for each in self._outline.imports
        )

    def uses(self, root: str) -> bool:
        return root in self._outline.aliases or bool(_CALLED[root].search(self._content))

    def _source(self, name: str) -> str | None:
        """Return the module that a name comes from; empty for the file's own, None where nothing binds it."""
        bound = self._outline.aliases.get(name, name)
        found: list[Import] = [each for each in self._outline.imports if bound in each.names]
        if found:
            return found[-1].source
        return "" if name in self._outline.bound else None


def _target_style(outline: Outline, root: str, used: _UsedAssertions) -> AssertionStyle | None:
    """Return the style to rewrite these assertions in; None to leave them."""
    available = _AvailableAssertions(outline)
    if root == "expect":
        return _for_expect(outline, available, used.style)
    if root == "should":
        return None if available.has_should else available.expect_in_use or available.assertion
    if available.assertion:
        return AssertionStyle.NODE_ASSERT if (used.style, available.assertion) == _CHAI_IN_NODE else None
    if available.expect_in_use:
        return available.expect_in_use
    return AssertionStyle.NODE_ASSERT if used.style and not available.imports_whole_chai else None


_CHAI_IN_NODE = (AssertionStyle.CHAI_ASSERT, AssertionStyle.NODE_ASSERT)


def _for_expect(
    outline: Outline, available: _AvailableAssertions, style: AssertionStyle | None
) -> AssertionStyle | None:
    """Return the style for the code's `expect`; None where the file can run it unchanged."""
    if style is None or available.expect is style:
        return None
    if available.expect is not None:
        # Vitest's `expect` is built on chai and understands its words too.
        is_both = outline.dialect.name == "vitest" and available.expect is AssertionStyle.JEST
        return None if is_both else available.expect
    if available.uses("expect"):
        return None
    if available.assertion:
        return available.assertion
    if available.imports_whole_chai:
        return None if style is AssertionStyle.CHAI else AssertionStyle.CHAI
    return AssertionStyle.NODE_ASSERT if style is AssertionStyle.JEST or available.only_should else None


def _rewritten(snippet: Snippet, used: _UsedAssertions, target_style: AssertionStyle) -> Snippet | None:
    """Return the rewritten code; None where not every use is an assertion that can be rewritten."""
    if not used.covers_every_use:
        return None
    source = snippet.document.content
    edits: list[tuple[int, int, bytes]] = []
    end = len(source)
    for each in sorted(used.assertions, key=lambda each: -each.node.start_byte):
        if each.node.end_byte > end:
            return None  # one is inside another
        end = each.node.start_byte
        text = _render(each, target_style)
        if text is None:
            return None
        edits.append((each.node.start_byte, each.node.end_byte, text.encode()))
    return Snippet.of(apply_edits(source, edits).decode())


def _render(each: Assertion, style: AssertionStyle) -> str | None:
    expected = each.expected or ""
    if style is AssertionStyle.JEST:
        return f"expect({each.actual}){'.not' * each.is_negated}.{_JEST[each.kind][0]}({expected})"
    if style is AssertionStyle.CHAI:
        call = "" if each.kind == "truthy" else f"({expected})"
        return f"expect({each.actual}).to{'.not' * each.is_negated}.{_CHAI[each.kind][0]}{call}"
    words = _CHAI_ASSERT if style is AssertionStyle.CHAI_ASSERT else _NODE_ASSERT
    if each.kind in words:
        arguments = each.actual + (f", {expected}" if expected else "")
        return f"assert.{words[each.kind][each.is_negated]}({arguments})"
    return _by_node(each)


def _by_node(each: Assertion) -> str | None:
    """Return Node's `assert.ok` with an expression, where `assert` has no method."""
    actual, expected = _parenthesized(each.actual), each.expected or ""
    sign = "!" * each.is_negated
    if each.kind == "truthy":
        return f"assert.ok({sign}{actual})" if sign else f"assert.ok({each.actual})"
    if each.kind == "contains":
        return f"assert.ok({sign}{actual}.includes({expected}))"
    if each.kind == "length":
        return f"assert.strictEqual({actual}.length, {expected})"
    return f"assert.ok({actual} {_SIGNS[each.kind]} {_parenthesized(expected)})"


def _parenthesized(value: str) -> str:
    return value if _SIMPLE.fullmatch(value) else f"({value})"
