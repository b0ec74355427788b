"""The outline of a Ruby test file: its modules, classes, blocks of tests, and what stands in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_ruby
from tree_sitter import Node

from phases.test_integration.document import Document
from phases.test_integration.syntax import Grammar

GRAMMAR = Grammar(tree_sitter_ruby.language())


@dataclass(frozen=True, slots=True)
class Test:
    """`name` is what the source has: a method's name, or the description with its quotes.

    `keyword` is `def`, or the method that makes the test; `body` its statements.
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
    """A class, a module, a block of tests, the file itself (`root`) or a place of conditions (`other`).

    `path` is its name behind those around it. What is `barred` does not run, or not once.
    """

    node: Node
    kind: str
    name: str = ""
    path: str = ""
    keyword: str = ""
    base: str = ""
    parent: Group | None = None
    barred: bool = False
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
        """The `end` or the bracket that closes it."""
        block = self.block
        last = block.children[-1] if block is not None and block.children else None
        return last if last is not None and last.type in ("end", "}") and not last.is_missing else None

    @property
    def block(self) -> Node | None:
        return self.node.child_by_field_name("block") if self.kind == "block" else self.node


@dataclass(slots=True)
class Member:
    """A statement of a group: a test, a group, a place of conditions that may hold some, or neither."""

    node: Node
    word: str = ""
    test: Test | None = None
    group: Group | None = None

    @property
    def holds_tests(self) -> bool:
        return self.test is not None or (self.group is not None and self.group.holds_tests)


@dataclass(slots=True)
class Layout:
    """A file's outline; `groups` are in the file's order, the file itself first."""

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
