"""A PHPUnit file as an insertion target."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.errors import InvalidTestCode, TargetRejected
from phases.test_integration.languages.php import names, writing
from phases.test_integration.languages.php.outline import STRINGS, PhpOutline
from phases.test_integration.languages.php.snippet import (
    CLASS,
    TOP,
    PhpSnippet,
    methods_of,
    parse_known,
    string_rows,
    traits_of,
)
from phases.test_integration.languages.shared.code import rows_within, tokens
from phases.test_integration.languages.shared.markers import make_unique, markers, name_words
from phases.test_integration.languages.shared.outline import Group, Member
from phases.test_integration.languages.shared.target import GroupedTarget, ParsedTest, RenderedTest
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.document import Splice
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import pascal, split_extension, split_path

_TEST_CASE = "PHPUnit\\Framework\\TestCase"


@dataclass(frozen=True)
class PhpTest(ParsedTest):
    """A red test with its parsed code and the classes that it uses."""

    red_test: RedTest
    snippet: PhpSnippet

    @cached_property
    def used_names(self) -> frozenset[str]:
        return frozenset((node.text or b"").decode() for node in names.class_names(self.snippet.root))

    @property
    def group_name(self) -> str:
        return self.snippet.class_name


class PhpunitTarget(GroupedTarget):
    """A PHPUnit file: tests are methods of concrete classes that extend a test case."""

    comment = re.compile(rb"(?://|#(?!\[))[^\n]*|/\*[^\n]*?\*/|;")
    outline: PhpOutline

    def __init__(self, outline: PhpOutline) -> None:
        super().__init__(outline)

    def read(self, red_test: RedTest) -> PhpTest:
        return PhpTest(red_test, PhpSnippet.of(red_test.code))

    def plan(self, red_test: RedTest) -> Plan:
        if self.outline.is_pest:
            raise TargetRejected("the file's tests are written for Pest, not as PHPUnit's classes")
        test = self.read(red_test)
        group = self.choose(test)
        if group is None:
            self.check_append()
        plan = super().plan(red_test)
        others = [each for each in self.candidates(test) if each.tests]
        if plan.splices and group is not None and len(others) > 1:
            message = f"PHPUnit may run only the class that the file is called after; {group.name} was chosen"
            return replace(plan, warnings=(*plan.warnings, InsertionWarning("several_classes", message)))
        return plan

    def check_append(self) -> None:
        outline = self.outline
        if outline.document.content.strip() and not outline.has_tag and outline.document.start == 0:
            raise TargetRejected("the file is no PHP")
        if outline.is_truncated:
            raise TargetRejected("the file breaks off in a statement, which would swallow the test")
        if outline.has_blocks or outline.stops_early:
            raise TargetRejected("no class takes the test, and code cannot follow at the end of this file")

    def markers(self, test: ParsedTest) -> list[str]:
        return markers(test.red_test, "//")

    def functions_in(self, text: str, *, is_group: bool) -> list[Member]:
        if is_group:
            inner = text[text.index("class ") :]
            return [each for each in methods_of(parse_known(TOP + inner)) if each.is_test]
        return [each for each in methods_of(parse_known(CLASS + text + "\n}")) if each.is_test]

    def render(self, test: ParsedTest, group: Group | None, *, keep_names: bool = False) -> RenderedTest:
        assert isinstance(test, PhpTest)
        used_names = group.names if group and not keep_names else frozenset()
        snippet, imports, warnings = self._bound(test, group)
        self._check_traits(snippet, group)
        style = writing.style_of(self.outline, group)
        if snippet.is_complete:
            text, new = writing.complete_tests(
                snippet, used_names, self.markers(test), knows_attribute="Test" in self.outline.bound
            )
        else:
            name = make_unique(writing.method_name(name_words(test.red_test), style), used_names)
            text, new = writing.method(name, style, self.markers(test), snippet), (name,)
        if group is None:
            class_name = self._class_name(test)
            base = self._base_class()
            if not self.outline.namespace_node and not self.outline.document.content.strip():
                imports, base = [f"use {_TEST_CASE};", *imports], "TestCase"
            text, new = writing.test_class(class_name, base, text), (class_name,)
            warnings.append(
                InsertionWarning(
                    "may_not_be_collected", f"PHPUnit runs {class_name} only in a file of that name"
                )
            )
            rows = rows_within(parse_known(TOP + text), STRINGS, above=1)
        else:
            rows = string_rows(text, is_complete=True)
        return RenderedTest(text, tuple(new), frozenset(rows), tuple(sorted(set(imports))), tuple(warnings))

    def head(self, test: ParsedTest, rendered: RenderedTest) -> Sequence[Splice]:
        """Insert after the last `use`, else after the namespace."""
        outline, document = self.outline, self.outline.document
        eol = document.eol
        anchor = self._anchor
        if anchor is None:
            return ()
        offset = document.next_line(anchor.end_byte)
        gap = b"" if outline.uses else eol
        text = gap + eol.join(each.encode() for each in rendered.imports) + eol
        return (Splice(offset, text),)

    def file_opening(self, rendered: RenderedTest) -> str:
        document = self.outline.document
        imports = "".join(f"{each}\n" for each in rendered.imports)
        imports += "\n" if imports else ""
        if not document.content[document.start :].strip():
            return "<?php\n\n" + imports
        if document.content.rstrip().endswith(b"?>"):
            return "<?php\n" + imports
        return imports

    def _bound(
        self, test: PhpTest, group: Group | None
    ) -> tuple[PhpSnippet, list[str], list[InsertionWarning]]:
        """Return the snippet with class names that resolve in this file, the imports to add, and warnings."""
        outline, snippet = self.outline, test.snippet
        bound = outline.bound
        can_import = self._can_import(group)
        imports: list[str] = []
        full: dict[str, str] = {}
        for name, (origin, kind) in snippet.imports.items():
            if bound.get(name) == (origin, kind) or origin == self._in_namespace(name):
                continue
            # A class of the file's own namespace needs no import: it shows only as a word.
            is_taken = name in bound or name in outline.declared or (not kind and outline.contains_word(name))
            if is_taken or not can_import:
                full[name] = "\\" + origin
            else:
                alias = "" if origin.rpartition("\\")[2] == name else f" as {name}"
                imports.append(f"use {kind + ' ' if kind else ''}{origin}{alias};")
        known = {*bound, *outline.declared, *snippet.imports}
        missing: list[str] = []
        if outline.namespace:
            for name in sorted(test.used_names - known):
                if name in names.GLOBALS:
                    full[name] = "\\" + name
                else:
                    missing.append(name)
        warnings = [
            InsertionWarning(
                "unbound_name", f"nothing in the file imports `{name}`: it is taken to be in its namespace"
            )
            for name in missing
        ]
        if not snippet.is_complete:
            warnings += [
                InsertionWarning("unbound_name", f"nothing gives `${name}` a value, which the test reads")
                for name in names.unbound_variables(snippet.root)
            ]
        return _with_full_names(snippet, full), imports, warnings

    @property
    def _anchor(self) -> Node | None:
        """Return the node that new imports follow."""
        return self.outline.uses[-1].node if self.outline.uses else self.outline.namespace_node

    def body_tokens(self, body: Node) -> tuple[str, ...]:
        return tokens(body, {"qualified_name"})

    def _in_namespace(self, name: str) -> str:
        return f"{self.outline.namespace}\\{name}" if self.outline.namespace else name

    def _can_import(self, group: Group | None) -> bool:
        outline = self.outline
        if outline.has_blocks:
            return False
        if group is None and not self.has_tests:
            return True
        last = self._anchor
        return (
            last is not None
            and outline.document.needs_newline_at(last.end_byte) is False
            and not (outline.document.line_at(last.end_byte).strip())
        )

    def _check_traits(self, snippet: PhpSnippet, group: Group | None) -> None:
        known = traits_of(group.node) if group and snippet.traits else ()
        for trait in snippet.traits:
            if trait not in known:
                raise InvalidTestCode(f"testCode's class uses {trait}, which the file's class does not")

    def _class_name(self, test: PhpTest) -> str:
        _, file_name = split_path(test.red_test.vulnerable_file)
        stem = pascal(split_extension(file_name)[0]) if file_name else ""
        stem = stem if stem[:1].isalpha() else ""
        return make_unique(test.snippet.class_name or f"{stem}SecurityTest", self.outline.declared)

    def _base_class(self) -> str:
        """Return the file's name for PHPUnit's test case."""
        for name, (origin, _) in self.outline.bound.items():
            if origin.endswith("TestCase") and name.endswith("TestCase"):
                return name
        return "\\" + _TEST_CASE


def _with_full_names(snippet: PhpSnippet, full: dict[str, str]) -> PhpSnippet:
    if not full:
        return snippet
    root, offset = snippet.root, snippet.offset
    edits = [
        (node.start_byte - offset, node.end_byte - offset, full[name].encode())
        for node in (*names.class_names(root), *names.function_names(root))
        if (name := (node.text or b"").decode()) in full
    ]
    return replace(snippet, code=apply_edits(snippet.code.encode(), edits).decode())
