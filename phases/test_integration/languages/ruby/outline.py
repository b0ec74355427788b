"""The outline of a Ruby test file: modules, classes, groups and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_ruby
from tree_sitter import Node

from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar

GRAMMAR = Grammar(tree_sitter_ruby.language())


@dataclass(frozen=True, slots=True)
class Test:
    """A test; `name` is its method's name, or its description with quotes.

    `keyword` is `def`, or the method that defines the test; `body` are its statements.
    """

    node: Node
    keyword: str
    name: str
    body: Node | None
    is_plain: bool = True

    @property
    def has_code(self) -> bool:
        return self.node.type == "method" or self.node.child_by_field_name("block") is not None


@dataclass(slots=True, eq=False)
class Group:
    """A class, module, block of tests, the file itself (`root`), or conditional code (`other`).

    `path` is its name after its parents' names. With `is_disabled`, its tests do not run, or not exactly
    once.
    """

    node: Node
    kind: str
    name: str = ""
    path: str = ""
    keyword: str = ""
    base: str = ""
    parent: Group | None = None
    is_disabled: bool = False
    has_receiver: bool = False
    is_shared: bool = False
    holds_tests: bool = False
    depth: int = 0
    members: list[Member] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)

    @property
    def tests(self) -> list[Test]:
        return [member.test for member in self.members if member.test]

    @property
    def closer(self) -> Node | None:
        """Return the `end` or brace that closes the group."""
        block = self.block
        last = block.children[-1] if block is not None and block.children else None
        return last if last is not None and last.type in ("end", "}") and not last.is_missing else None

    @property
    def block(self) -> Node | None:
        return self.node.child_by_field_name("block") if self.kind == "block" else self.node


@dataclass(slots=True)
class Member:
    """A statement of a group: a test, a group, conditional code that may contain tests, or none of these."""

    node: Node
    word: str = ""
    test: Test | None = None
    group: Group | None = None

    @property
    def holds_tests(self) -> bool:
        return self.test is not None or (self.group is not None and self.group.holds_tests)


@dataclass(slots=True)
class Outline:
    """A file's outline; `groups` are in file order, the file itself first."""

    document: Document
    root: Node
    groups: list[Group] = field(default_factory=list)
    focused: list[Node] = field(default_factory=list)

    def text(self, node: Node) -> str:
        return text_of(self.document, node)

    @property
    def file(self) -> Group:
        return self.groups[0]

    def at(self, path: str) -> Iterator[Group]:
        return (group for group in self.groups if group.path == path and group.kind != "other")


def text_of(document: Document, node: Node) -> str:
    return document.lines[node.start_byte : node.end_byte].decode(errors="replace")
