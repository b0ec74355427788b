"""Writes a test's assertions as the file writes its own, where both mean the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration.document import edited
from phases.test_integration.insertion import Notice
from phases.test_integration.javascript.assertions import Assertion, Style, is_chais, read_assertions
from phases.test_integration.javascript.bindings import Import, text_of
from phases.test_integration.javascript.dialect import FRAMEWORK_MODULES
from phases.test_integration.javascript.layout import Layout
from phases.test_integration.javascript.snippet import Snippet

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

_Words = Mapping[str, tuple[str, str]]
# What each kind is called, and what its opposite is.
_JEST: _Words = {
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
_CHAI: _Words = {
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
_CHAI_ASSERT: _Words = {
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
_NODE_ASSERT: _Words = {
    "same": ("strictEqual", "notStrictEqual"),
    "deep": ("deepStrictEqual", "notDeepStrictEqual"),
    "matches": ("match", "doesNotMatch"),
    "throws": ("throws", "doesNotThrow"),
}
_SIGNS = {"above": ">", "below": "<", "at least": ">=", "at most": "<=", "instance": "instanceof"}


def in_style(snippet: Snippet, layout: Layout) -> tuple[Snippet, tuple[Notice, ...]]:
    """The code with all of its assertions in a style that the file can run, or a notice that some are not."""
    notices: list[Notice] = []
    for root in ("expect", "assert", "should"):
        used = _used(snippet, root)
        wanted = _wanted(layout, root, used) if used else None
        if used is None or wanted is None:
            continue
        changed = _rewritten(snippet, used, wanted)
        if changed is None:
            message = f"the test's assertions are not all of a kind that can be written as {wanted}"
            notices.append(Notice("matcher_style", message))
            continue
        snippet = changed
        if _Spoken(layout).only_should and wanted is Style.NODE_ASSERT:
            message = "the file's assertions are written with should, and the new ones with node:assert"
            notices.append(Notice("matcher_style", message))
    return snippet, tuple(notices)


@dataclass(frozen=True, slots=True)
class _Used:
    """What hangs on one root, at these places. `style` is None for an `assert` of node's or chai's."""

    style: Style | None
    assertions: Sequence[Assertion]
    places: frozenset[int]

    @property
    def is_understood(self) -> bool:
        return {each.root.start_byte for each in self.assertions} == self.places


def _used(snippet: Snippet, root: str) -> _Used | None:
    """None where the code has none of it, or brings its own."""
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
    places = frozenset(node.start_byte for node in nodes)
    return _Used(_style_of(snippet, root, own), own, places)


def _style_of(snippet: Snippet, root: str, own: Sequence[Assertion]) -> Style | None:
    if root == "should":
        return Style.SHOULD
    code = snippet.document.content
    if root == "expect":
        return Style.JEST if _OF_JEST.search(code) else Style.CHAI if _OF_CHAI.search(code) else None
    chais = any(each.style is Style.CHAI_ASSERT for each in own) or any(
        is_chais(name.decode()) for name in _METHODS_OF_ASSERT.findall(code)
    )
    return Style.CHAI_ASSERT if chais else None


class _Spoken:
    """Which assertions the file has the means for."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._content = layout.document.content

    @cached_property
    def _has_chai(self) -> bool:
        return any(each.source == "chai" for each in self._layout.imports)

    @cached_property
    def expect(self) -> Style | None:
        source = self._source("expect")
        if source == "chai":
            return Style.CHAI
        if source in _LIKE_JEST or (source is None and self._layout.dialect.name != "mocha"):
            return Style.JEST
        jest, chai = (len(each.findall(self._content)) for each in (_OF_JEST, _OF_CHAI))
        if not self.uses("expect") or jest == chai:
            return None
        return Style.JEST if jest > chai else Style.CHAI

    @property
    def expect_in_use(self) -> Style | None:
        return self.expect if self.uses("expect") else None

    @cached_property
    def assertion(self) -> Style | None:
        """What its `assert` is."""
        source = self._source("assert")
        if source in _NODE_MODULES:
            return Style.NODE_ASSERT
        if source == "chai" or (source is not None and self._has_chai):
            return Style.CHAI_ASSERT
        names = [each.decode() for each in _METHODS_OF_ASSERT.findall(self._content)]
        if not self.uses("assert"):
            return None
        chais = any(map(is_chais, names)) or (source is None and self.lends_chai)
        return Style.CHAI_ASSERT if chais else Style.NODE_ASSERT

    @cached_property
    def only_should(self) -> bool:
        return bool(_OF_SHOULD.search(self._content)) and not (self.uses("expect") or self.uses("assert"))

    @cached_property
    def has_should(self) -> bool:
        return bool(_OF_SHOULD.search(self._content))

    @cached_property
    def lends_chai(self) -> bool:
        """Whether chai is there as a whole, to take `expect` from."""
        return any(
            each.source == "chai" and {"*", "default"} & set(each.names.values())
            for each in self._layout.imports
        )

    def uses(self, root: str) -> bool:
        return root in self._layout.aliases or bool(_CALLED[root].search(self._content))

    def _source(self, name: str) -> str | None:
        """The module that the name comes from; empty for the file's own, None where nothing binds it."""
        bound = self._layout.aliases.get(name, name)
        found: list[Import] = [each for each in self._layout.imports if bound in each.names]
        if found:
            return found[-1].source
        return "" if name in self._layout.bound else None


def _wanted(layout: Layout, root: str, used: _Used) -> Style | None:
    """The style to write these in; None to leave them as they are."""
    spoken = _Spoken(layout)
    if root == "expect":
        return _for_expect(layout, spoken, used.style)
    if root == "should":
        return None if spoken.has_should else spoken.expect_in_use or spoken.assertion
    if spoken.assertion:
        return Style.NODE_ASSERT if (used.style, spoken.assertion) == _CHAI_IN_NODE else None
    if spoken.expect_in_use:
        return spoken.expect_in_use
    return Style.NODE_ASSERT if used.style and not spoken.lends_chai else None


_CHAI_IN_NODE = (Style.CHAI_ASSERT, Style.NODE_ASSERT)


def _for_expect(layout: Layout, spoken: _Spoken, style: Style | None) -> Style | None:
    if style is None or spoken.expect is style:
        return None
    if spoken.expect is not None:
        is_both = layout.dialect.name == "vitest" and spoken.expect is Style.JEST
        return None if is_both else spoken.expect
    if spoken.uses("expect"):
        return None
    if spoken.assertion:
        return spoken.assertion
    if spoken.lends_chai:
        return None if style is Style.CHAI else Style.CHAI
    return Style.NODE_ASSERT if style is Style.JEST or spoken.only_should else None


def _rewritten(snippet: Snippet, used: _Used, wanted: Style) -> Snippet | None:
    if not used.is_understood:
        return None
    source = snippet.document.content
    edits: list[tuple[int, int, bytes]] = []
    end = len(source)
    for each in sorted(used.assertions, key=lambda each: -each.node.start_byte):
        if each.node.end_byte > end:
            return None  # one stands within another
        end = each.node.start_byte
        text = _written(each, wanted)
        if text is None:
            return None
        edits.append((each.node.start_byte, each.node.end_byte, text.encode()))
    return Snippet.of(edited(source, edits).decode())


def _written(each: Assertion, style: Style) -> str | None:
    wanted = each.wanted or ""
    if style is Style.JEST:
        return f"expect({each.given}){'.not' * each.is_negated}.{_JEST[each.kind][0]}({wanted})"
    if style is Style.CHAI:
        call = "" if each.kind == "truthy" else f"({wanted})"
        return f"expect({each.given}).to{'.not' * each.is_negated}.{_CHAI[each.kind][0]}{call}"
    words = _CHAI_ASSERT if style is Style.CHAI_ASSERT else _NODE_ASSERT
    if each.kind in words:
        arguments = each.given + (f", {wanted}" if wanted else "")
        return f"assert.{words[each.kind][each.is_negated]}({arguments})"
    return _by_node(each)


def _by_node(each: Assertion) -> str | None:
    """What node's `assert` has no method for."""
    given, wanted = _bracketed(each.given), each.wanted or ""
    sign = "!" * each.is_negated
    if each.kind == "truthy":
        return f"assert.ok({sign}{given})" if sign else f"assert.ok({each.given})"
    if each.kind == "contains":
        return f"assert.ok({sign}{given}.includes({wanted}))"
    if each.kind == "length":
        return f"assert.strictEqual({given}.length, {wanted})"
    return f"assert.ok({given} {_SIGNS[each.kind]} {_bracketed(wanted)})"


def _bracketed(value: str) -> str:
    return value if _SIMPLE.fullmatch(value) else f"({value})"
