"""A JUnit 5 file as an insertion target."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import TargetRejected
from phases.test_integration.languages.java import binding, names, writing
from phases.test_integration.languages.java.outline import JUPITER, JavaOutline, text_of
from phases.test_integration.languages.java.snippet import (
    BODY,
    CLASSES,
    METHODS,
    JavaSnippet,
    methods_of,
    parse_as,
    string_rows,
)
from phases.test_integration.languages.shared.markers import make_unique, markers, name_words
from phases.test_integration.languages.shared.outline import Group, Member
from phases.test_integration.languages.shared.target import GroupedTarget, ParsedTest, RenderedTest
from phases.test_integration.plan import broken_syntax
from phases.test_integration.plan.protocols import Plan
from phases.test_integration.read.document import Splice
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import pascal, split_extension, split_path

# Anchored at the first name of a chain: a search from each name would take quadratic time.
_PACKAGES = re.compile(r"(?<![^\0])(?<!\.\0)(?:[a-z_]\w*\0\.\0)+(?=[A-Z])")


@dataclass(frozen=True)
class JavaTest(ParsedTest):
    """A red test with its parsed code and the types that it uses."""

    red_test: RedTest
    snippet: JavaSnippet

    @cached_property
    def used_names(self) -> frozenset[str]:
        return frozenset(text_of(node) for node, _ in names.type_names(self.snippet.root)) - names.LANG

    @property
    def group_name(self) -> str:
        return self.snippet.class_name


class JunitTarget(GroupedTarget):
    """A JUnit 5 file: tests are methods of concrete classes and of `@Nested` inner classes."""

    comment = re.compile(rb"//[^\n]*|/\*[^\n]*?\*/|;")
    outline: JavaOutline

    def __init__(self, outline: JavaOutline) -> None:
        super().__init__(outline)

    def read(self, red_test: RedTest) -> JavaTest:
        return JavaTest(red_test, JavaSnippet.of(red_test.code))

    def plan(self, red_test: RedTest) -> Plan:
        if self.outline.other_framework:
            raise TargetRejected(f"the file's tests are {self.outline.other_framework}'s, not JUnit 5's")
        return super().plan(red_test)

    def choose(self, test: ParsedTest) -> Group | None:
        assert isinstance(test, JavaTest)
        return None if test.snippet.kind == CLASSES else super().choose(test)

    def markers(self, test: ParsedTest) -> list[str]:
        """Return the markers in ASCII, for compilers that run without an encoding option."""
        return [
            marker.encode("ascii", "xmlcharrefreplace").decode() for marker in markers(test.red_test, "//")
        ]

    def functions_in(self, text: str, *, is_group: bool) -> list[Member]:
        found = methods_of(parse_as(text, CLASSES if is_group else METHODS))
        return [member for member in found if member.is_test]

    def body_tokens(self, body: Node) -> tuple[str, ...]:
        # A test of an earlier request may have been bound by
        # qualified names instead of imports, or the reverse.
        words = _PACKAGES.sub("", "\0".join(super().body_tokens(body)))
        return tuple(re.sub(r"\bAssertions\0\.\0", "", words).split("\0"))

    def has_inline_imports(self, is_append: bool) -> bool:
        return not self.outline.document.content[self.outline.document.start :].strip()

    def render(self, test: ParsedTest, group: Group | None, *, keep_names: bool = False) -> RenderedTest:
        assert isinstance(test, JavaTest)
        outline = self.outline
        used_names = group.names if group and not keep_names else frozenset()
        declared = frozenset() if keep_names else frozenset(outline.declared)
        bound = binding.bind(outline, test.snippet, group)
        snippet = replace(test.snippet, code=bound.code)
        imports, annotation = list(bound.imports), self._annotation()
        if snippet.kind == BODY:
            style = writing.style_of(group)
            name = make_unique(writing.method_name(name_words(test.red_test), style), used_names)
            text = writing.method(name, annotation, style, self.markers(test), snippet)
            new: tuple[str, ...] = (name,)
        else:
            text, new = writing.complete_tests(snippet, used_names, declared, self.markers(test), annotation)
        if annotation == "@Test" and not outline.binds("Test", f"{JUPITER}.Test"):
            imports.append(f"import {JUPITER}.Test;")
        if group is None and snippet.kind != CLASSES:
            name = make_unique(self._class_name(test), declared)
            text, new = writing.test_class(name, text, string_rows(text, METHODS)), (name,)
        rows = string_rows(text, CLASSES if group is None else METHODS)
        return RenderedTest(text, tuple(new), frozenset(rows), tuple(dict.fromkeys(imports)), bound.warnings)

    def head(self, test: ParsedTest, rendered: RenderedTest) -> Sequence[Splice]:
        """Insert after the last import, else after the package, else at the start of the file."""
        outline, document = self.outline, self.outline.document
        eol = document.eol
        text = eol.join(each.encode() for each in rendered.imports)
        intact = [node for node in outline.imports if not node.has_error]
        anchor = intact[-1] if intact else outline.package
        if anchor is None:
            return (Splice(document.start, text + eol + eol),)
        gap = b"" if intact else eol
        following = document.next_line(anchor.end_byte)
        # What follows the anchor on its line: a comment stays there, code goes below the new imports.
        rest = document.lines[anchor.end_byte : following].strip()
        if rest and outline.root.has_error:
            raise broken_syntax.unsafe_position()
        if document.needs_newline_at(following) or (rest and not self.comment.fullmatch(rest)):
            return (Splice(anchor.end_byte, eol + gap + text + eol * bool(rest)),)
        return (Splice(following, gap + text + eol),)

    def _annotation(self) -> str:
        known = self.outline.origins.get("Test")
        is_taken = (known and known != f"{JUPITER}.Test") or "Test" in self.outline.declared
        return f"@{JUPITER}.Test" if is_taken else "@Test"

    def _class_name(self, test: JavaTest) -> str:
        """Return a class name that the package is unlikely to have."""
        _, file_name = split_path(test.red_test.vulnerable_file)
        stem = pascal(split_extension(file_name)[0]) if file_name else ""
        tops = [group.name for group in self.outline.groups if group.path == group.name]
        stem = re.sub(r"Tests?$", "", tops[0]) if tops else stem
        return f"{stem if stem[:1].isalpha() else ''}SecurityTest"
