"""The outline of a file whose tests are members of groups."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from tree_sitter import Node

from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.read.document import Document

_WORD = re.compile(r"[^\W\d]\w*")
_BYTES = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*")
_INDENT = re.compile(rb"^([ \t]+)\S", re.M)


@dataclass(frozen=True, slots=True)
class Member:
    """A test or another function of a group; its range includes its comment and attributes.

    `node` is the function itself, `body` its statements, `comment` the comment above it.
    """

    name: str
    start: int
    end: int
    node: Node
    body: Node | None
    is_test: bool
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A class, module or `describe` that can hold tests.

    `path` is its dotted name, outer groups first. Its members are between the offsets `opens` and `closes`.
    `accepts_tests`: a new test in it would run exactly once, unconditionally. `names` are already used.
    """

    name: str
    path: str
    node: Node
    opens: int
    closes: int
    members: tuple[Member, ...]
    names: frozenset[str]
    accepts_tests: bool

    @property
    def tests(self) -> list[Member]:
        return [member for member in self.members if member.is_test]


@dataclass(slots=True)
class Outline:
    """A file's outline; `origins` maps imported names to their dotted source (`App.Users`)."""

    document: Document
    root: Node
    groups: list[Group] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    warnings: list[InsertionWarning] = field(default_factory=list)
    _words: frozenset[str] | None = None

    def text(self, node: Node) -> str:
        return self.document.lines[node.start_byte : node.end_byte].decode(errors="replace")

    def occurrences(self, names: Collection[str]) -> dict[str, list[int]]:
        """Map those of the names that occur in the file, in code or not, to their offsets."""
        found: dict[bytes, list[int]] = {name.encode(): [] for name in names}
        for word in _BYTES.finditer(self.document.content) if found else ():
            if (offsets := found.get(word[0])) is not None:
                offsets.append(word.start())
        return {name.decode(): offsets for name, offsets in found.items() if offsets}

    def contains_word(self, name: str) -> bool:
        """Return whether the name occurs in the file: importing it could change the meaning of old code."""
        if name.encode() not in self.document.content:
            return False
        if self._words is None:
            self._words = frozenset(_WORD.findall(self.document.content.decode()))
        return name in self._words or not name.isidentifier()

    def group_at(self, path: str) -> Group | None:
        return next((group for group in self.groups if group.path == path), None)

    def unit(self, default: str) -> str:
        """Return one level of indentation, from the first indented line of a group."""
        for group in self.groups:
            own = self.document.indent_at(group.node.start_byte)
            for found in _INDENT.finditer(self.document.lines, group.opens, group.closes):
                if found[1].startswith(own) and len(found[1]) > len(own):
                    return found[1][len(own) :].decode()
        return default
