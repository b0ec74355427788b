"""The outline of a JavaScript test file: groups, tests, imports and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.languages.javascript import calls
from phases.test_integration.languages.javascript.bindings import (
    Import,
    declared,
    pattern_names,
    text_of,
)
from phases.test_integration.languages.javascript.calls import Call
from phases.test_integration.languages.javascript.dialect import Dialect
from phases.test_integration.languages.javascript.grammars import JAVASCRIPT
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import errors

HOOK_SKIP = re.compile(rb"\bthis\s*\.\s*skip\s*\(")
_BEFORE = re.compile(rb"before(?:All|Each)?\s*\(")
_INDENT = re.compile(rb"^([ \t]+)[^\s*]", re.MULTILINE)


@dataclass(slots=True)
class Group:
    """A group; `runs`: a new test in it would run exactly once, unconditionally."""

    call: Call
    body: Node
    parent: Group | None
    depth: int
    runs: bool
    title: str
    tests: list[Call] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    last: Node | None = None

    @property
    def path(self) -> str:
        titles: list[str] = []
        group: Group | None = self
        while group is not None:
            titles.append(group.title)
            group = group.parent
        return " > ".join(reversed(titles))


@dataclass
class Outline:
    """A file's outline.

    `tests` are at the file's top level; `outermost` are top-level statements with tests in them; `others`
    run conditionally or repeatedly. `names` maps the file's names for tests and groups to the framework's.
    `has_types`: the file is TypeScript.
    """

    document: Document
    root: Node
    dialect: Dialect
    names: calls.Names = field(default_factory=calls.Names)
    imports: list[Import] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    tests: list[Call] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    outermost: list[Node] = field(default_factory=list)
    others: list[Call] = field(default_factory=list)
    other_runner: str = ""
    is_module: bool = False
    has_types: bool = True
    may_stop: Node | None = None
    statement_count: int = 0

    def text(self, node: Node) -> str:
        return text_of(self.document, node)

    @property
    def is_common_js(self) -> bool:
        return not self.is_module and (
            self.dialect.name != "vitest" or any(each.is_require for each in self.imports)
        )

    @property
    def module_import(self) -> Import | None:
        """Return the import of the framework's module."""
        for each in self.imports:
            if each.source == self.dialect.module and not each.is_type:
                return each
        return None

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Return {framework's name: file's name} for names that the file imports only under another name."""
        found = {
            what: name
            for each in self.imports
            if not each.is_type and each.source in (self.dialect.module, "chai")
            for name, what in each.names.items()
            if what not in ("default", "*")
        }
        return {what: name for what, name in found.items() if what not in self.bound}

    @cached_property
    def takes_types(self) -> bool:
        """Return whether the file is TypeScript, or a JavaScript file with types."""
        return self.has_types or bool(errors(JAVASCRIPT.parse(self.document)))

    @cached_property
    def unit(self) -> str:
        """Return one level of indentation."""
        for group in self.groups:
            outer = self.document.indent_at(group.call.statement.start_byte)
            inner = self.document.indent_at(group.body.named_children[0].start_byte) if group.last else b""
            if inner.startswith(outer) and len(inner) > len(outer):
                return inner[len(outer) :].decode()
        found = _INDENT.search(self.document.lines)
        return found[1].decode() if found and len(found[1]) in (1, 2, 4, 8) else "  "

    @cached_property
    def _may_skip(self) -> bool:
        return HOOK_SKIP.search(self.document.content) is not None

    def skips_in_hook(self, statement: Node) -> bool:
        """Return whether the statement is a hook that may skip the tests around it."""
        if not self._may_skip or statement.type != "expression_statement":
            return False
        content = self.document.content
        if not _BEFORE.match(content, statement.start_byte, statement.end_byte):
            return False
        return HOOK_SKIP.search(content, statement.start_byte, statement.end_byte) is not None

    def all_tests(self) -> Iterator[Call]:
        yield from self.tests
        for group in self.groups:
            yield from group.tests
        yield from self.others

    def scope_names(self, group: Group | None) -> set[str]:
        """Return the names that a test in the group can read."""
        names = set(self.bound)
        while group is not None:
            for statement in group.body.named_children:
                names.update(declared(self.document, statement))
            parameters = group.call.callback and group.call.callback.child_by_field_name("parameters")
            names.update(pattern_names(self.document, parameters or None))
            group = group.parent
        return names
