"""A JUnit 5 file as a target."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration import broken
from phases.test_integration.document import Splice
from phases.test_integration.errors import TargetRefused
from phases.test_integration.grouped.marks import marks, name_words, unique
from phases.test_integration.grouped.outline import Group, Member
from phases.test_integration.grouped.target import GroupedTarget, Test, Written
from phases.test_integration.insertion import Plan
from phases.test_integration.java import binding, names, writing
from phases.test_integration.java.layout import JUPITER, JavaOutline, text_of
from phases.test_integration.java.snippet import (
    BODY,
    CLASSES,
    METHODS,
    JavaSnippet,
    methods_of,
    parse_as,
    string_rows,
)
from phases.test_integration.red_tests import RedTest
from phases.test_integration.words import pascal, split_extension, split_path

# From the first name of a chain on: a search from each of them would take very long.
_PACKAGES = re.compile(r"(?<![^\0])(?<!\.\0)(?:[a-z_]\w*\0\.\0)+(?=[A-Z])")


@dataclass(frozen=True)
class JavaTest(Test):
    red_test: RedTest
    snippet: JavaSnippet

    @cached_property
    def used_names(self) -> frozenset[str]:
        return frozenset(text_of(node) for node, _ in names.type_names(self.snippet.root)) - names.LANG

    @property
    def group_name(self) -> str:
        return self.snippet.class_name


class JunitTarget(GroupedTarget):
    """Tests are methods of concrete classes, and of inner classes that are `@Nested`."""

    comment = re.compile(rb"//[^\n]*|/\*[^\n]*?\*/|;")
    outline: JavaOutline

    def __init__(self, outline: JavaOutline) -> None:
        super().__init__(outline)

    def read(self, red_test: RedTest) -> JavaTest:
        return JavaTest(red_test, JavaSnippet.of(red_test.code))

    def plan(self, red_test: RedTest) -> Plan:
        if self.outline.is_foreign:
            raise TargetRefused(f"the file's tests are {self.outline.is_foreign}'s, not JUnit 5's")
        return super().plan(red_test)

    def choose(self, test: Test) -> Group | None:
        assert isinstance(test, JavaTest)
        return None if test.snippet.kind == CLASSES else super().choose(test)

    def marks(self, test: Test) -> list[str]:
        """In ASCII, for compilers that are told no encoding."""
        return [mark.encode("ascii", "xmlcharrefreplace").decode() for mark in marks(test.red_test, "//")]

    def functions_in(self, text: str, *, is_group: bool) -> list[Member]:
        found = methods_of(parse_as(text, CLASSES if is_group else METHODS))
        return [member for member in found if member.is_test]

    def said(self, body: Node) -> tuple[str, ...]:
        words = _PACKAGES.sub("", "\0".join(super().said(body)))
        return tuple(re.sub(r"\bAssertions\0\.\0", "", words).split("\0"))

    def is_opened(self, is_append: bool) -> bool:
        return not self.outline.document.content[self.outline.document.start :].strip()

    def write(self, test: Test, group: Group | None, *, keep_names: bool = False) -> Written:
        assert isinstance(test, JavaTest)
        outline = self.outline
        taken = group.names if group and not keep_names else frozenset()
        declared = frozenset() if keep_names else frozenset(outline.declared)
        bound = binding.bind(outline, test.snippet, group)
        snippet = replace(test.snippet, code=bound.code)
        imports, annotation = list(bound.imports), self._annotation()
        if snippet.kind == BODY:
            style = writing.style_of(group)
            name = unique(writing.method_name(name_words(test.red_test), style), taken)
            text = writing.method(name, annotation, style, self.marks(test), snippet)
            new: tuple[str, ...] = (name,)
        else:
            text, new = writing.whole(snippet, taken, declared, self.marks(test), annotation)
        if annotation == "@Test" and not outline.binds("Test", f"{JUPITER}.Test"):
            imports.append(f"import {JUPITER}.Test;")
        if group is None and snippet.kind != CLASSES:
            name = unique(self._class_name(test), declared)
            text, new = writing.test_class(name, text, string_rows(text, METHODS)), (name,)
        rows = string_rows(text, CLASSES if group is None else METHODS)
        return Written(text, tuple(new), frozenset(rows), tuple(dict.fromkeys(imports)), bound.notices)

    def head(self, test: Test, written: Written) -> Sequence[Splice]:
        """Behind the last import, else behind the package, else first of all."""
        outline, document = self.outline, self.outline.document
        eol = document.eol
        text = eol.join(each.encode() for each in written.imports)
        whole = [node for node in outline.imports if not node.has_error]
        anchor = whole[-1] if whole else outline.package
        if anchor is None:
            return (Splice(document.start, text + eol + eol),)
        gap = b"" if whole else eol
        following = document.next_line(anchor.end_byte)
        rest = document.lines[anchor.end_byte : following].strip()
        if rest and outline.root.has_error:
            raise broken.doubtful()
        if document.ends_mid_line(following) or (rest and not self.comment.fullmatch(rest)):
            return (Splice(anchor.end_byte, eol + gap + text + eol * bool(rest)),)
        return (Splice(following, gap + text + eol),)

    def _annotation(self) -> str:
        known = self.outline.origins.get("Test")
        is_taken = (known and known != f"{JUPITER}.Test") or "Test" in self.outline.declared
        return f"@{JUPITER}.Test" if is_taken else "@Test"

    def _class_name(self, test: JavaTest) -> str:
        """A name that no other class of the package is likely to have."""
        _, file_name = split_path(test.red_test.vulnerable_file)
        stem = pascal(split_extension(file_name)[0]) if file_name else ""
        tops = [group.name for group in self.outline.groups if group.path == group.name]
        stem = re.sub(r"Tests?$", "", tops[0]) if tops else stem
        return f"{stem if stem[:1].isalpha() else ''}SecurityTest"
