"""Detects how a file writes its tests: function names, quotes, semicolons, arrow functions."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice

from tree_sitter import Node

from phases.test_integration.languages.javascript.bindings import pattern_names
from phases.test_integration.languages.javascript.calls import UNKNOWN, Call
from phases.test_integration.languages.javascript.dialect import KNOWN, TDD_RENAMES, TESTS
from phases.test_integration.languages.javascript.outline import Group, Outline
from phases.test_integration.languages.javascript.snippet import Snippet

CHAI = frozenset({"expect", "assert"})
_SAMPLE_SIZE = 20  # tests
_SAMPLE_BYTES = 20_000


class Style:
    """The style of the tests beside the new one, else of the whole file."""

    def __init__(self, outline: Outline, group: Group | None) -> None:
        self._outline = outline
        self._group = group

    @cached_property
    def _siblings(self) -> list[Call]:
        near = self._group.tests if self._group else self._outline.tests
        return [*reversed(near), *islice(self._outline.all_tests(), _SAMPLE_SIZE)]

    @cached_property
    def _sibling_tests(self) -> list[Call]:
        return [each for each in self._siblings if not each.is_group and UNKNOWN not in each.modifiers]

    @cached_property
    def is_tdd(self) -> bool:
        """Return whether the file uses Mocha's `suite` and `test`."""
        if self._outline.dialect.name != "mocha":
            return False
        groups = [group.call.function for group in self._outline.groups[:_SAMPLE_SIZE]]
        if groups:
            return groups[0] == "suite"
        return [each.function for each in self._sibling_tests[:1]] == ["test"]

    @cached_property
    def namespace(self) -> str:
        """Return the file's name for the framework's module where it is imported as a namespace."""
        found = self._outline.module_import
        if found is None or found.last is not None:
            return ""
        return next((name for name, what in found.names.items() if what in ("*", "default")), "")

    @cached_property
    def is_explicit(self) -> bool:
        """Return whether the framework's names must be imported."""
        called = [each.function.partition(".")[0] for each in self._siblings[:_SAMPLE_SIZE]]
        called += [group.call.function.partition(".")[0] for group in self._outline.groups[:_SAMPLE_SIZE]]
        # The file calls a name that it does not bind, so the names are global.
        if any(name in KNOWN and name not in self._outline.bound for name in called):
            return False
        return self._outline.module_import is not None or not (called or self._outline.dialect.is_global)

    @cached_property
    def test_function(self) -> str:
        """The function that defines a test here: that of the nearest test, else the imported one."""
        for call in self._sibling_tests:
            if "." in call.function or call.function in self._outline.bound or not self.is_explicit:
                return call.function
        imported = (
            {name: what for name, what in found.names.items() if what in TESTS}
            if (found := self._outline.module_import)
            else {}
        )
        for name in imported:
            return name
        own = "test" if self.is_tdd else "it"
        return f"{self.namespace}.{own}" if self.namespace else own

    @cached_property
    def group_function(self) -> str:
        for group in [*filter(None, [self._group]), *self._outline.groups[:_SAMPLE_SIZE]]:
            if UNKNOWN not in group.call.modifiers:
                return group.call.function
        own = "suite" if self.is_tdd else "describe"
        return f"{self.namespace}.{own}" if self.namespace else own

    @cached_property
    def quote(self) -> str:
        """The quote character of titles, else the more frequent one."""
        titles = [each.title_node for each in self._siblings[:_SAMPLE_SIZE]]
        titles += [group.call.title_node for group in self._outline.groups[:_SAMPLE_SIZE]]
        for title in filter(None, titles):
            first = self._outline.text(title)[:1]
            if first in ("'", '"'):
                return first
        start = self._outline.document.content[:_SAMPLE_BYTES]
        return '"' if start.count(b'"') > start.count(b"'") else "'"

    @cached_property
    def semicolon(self) -> str:
        """Return `;`, or empty for a file without semicolons."""
        statements = [each.statement for each in self._siblings[:_SAMPLE_SIZE]]
        statements += [group.call.statement for group in self._outline.groups[:_SAMPLE_SIZE]]
        statements = [each for each in statements if each.type == "expression_statement"]
        if not statements:
            statements = [each for each in self._outline.root.named_children[:_SAMPLE_SIZE] if _may_end(each)]
        if not statements:
            return ";"
        content = self._outline.document.content
        with_semicolon = [content[each.end_byte - 1 : each.end_byte] == b";" for each in statements]
        return ";" if with_semicolon[0] or sum(with_semicolon) * 2 > len(with_semicolon) else ""

    @cached_property
    def is_arrow(self) -> bool:
        groups = [self._group.call] if self._group else []
        for call in (*self._sibling_tests[:_SAMPLE_SIZE], *groups):
            if call.callback is not None:
                return call.callback.type == "arrow_function"
        return True

    @cached_property
    def chai(self) -> str:
        for each in self._outline.imports:
            if each.source == "chai":
                return next((name for name, what in each.names.items() if what in ("*", "default")), "")
        return ""

    def reads(self, name: str) -> bool:
        """Return whether the file calls the name: then a setup file has made it global."""
        called = rb"(?<![\w$.])" + re.escape(name.encode()) + rb"[.(]"
        return re.search(called, self._outline.document.content) is not None

    @cached_property
    def sibling_parameters(self) -> frozenset[str]:
        """Return what the tests destructure from their parameter: `({ page }) => ...`."""
        names: set[str] = set()
        for call in self._sibling_tests[:_SAMPLE_SIZE]:
            parameters = call.callback.child_by_field_name("parameters") if call.callback else None
            first = parameters.named_children[0] if parameters and parameters.named_children else None
            if first is not None and call.is_plain and _destructures(first):
                names.update(pattern_names(self._outline.document, first))
        return frozenset(names)

    def parameters(self, snippet: Snippet, scope: set[str]) -> str:
        names = [name for name in snippet.free if name in self.sibling_parameters and name not in scope]
        return f"{{ {', '.join(names)} }}" if names else ""

    def renames(self, snippet: Snippet, outline: Outline) -> dict[str, str]:
        """Return the file's names for functions that the test calls by another framework's name."""
        known = TDD_RENAMES if self.is_tdd else outline.dialect.renames
        found = {}
        for name in snippet.free:
            if name in outline.bound:
                continue
            new = known.get(name, name)
            if outline.aliases.get(new, name) not in snippet.bound | {name}:
                new = outline.aliases[new]
            elif self.namespace and new in outline.dialect.exports:
                new = f"{self.namespace}.{new}"
            elif self.chai and name in CHAI and not snippet.is_body:
                new = f"{self.chai}.{name}"
            if new != name and name in snippet.called:
                found[name] = new
        return found


def _destructures(parameter: Node) -> bool:
    pattern = parameter.child_by_field_name("pattern") or parameter
    return pattern.type == "object_pattern"


def _may_end(node: Node) -> bool:
    return node.type in (
        "expression_statement",
        "import_statement",
        "lexical_declaration",
        "variable_declaration",
    )
