"""The outline of a file whose tests stand in groups, whatever the language calls them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from tree_sitter import Node

from phases.test_integration.document import Document
from phases.test_integration.insertion import Notice

_WORD = re.compile(r"[^\W\d]\w*")
_BYTES = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*")
_INDENT = re.compile(rb"^([ \t]+)\S", re.M)


@dataclass(frozen=True, slots=True)
class Member:
    """A test or another function of a group; its range has the comment and the attributes on it.

    `node` is the function itself, `body` what holds its statements, `comment` what stands above it.
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
    """`path` is the name behind those around it, dotted. Between `opens` and `closes` are its members.

    `takes` tells whether one more test in it runs, once, and under no condition. `names` are taken in it.
    """

    name: str
    path: str
    node: Node
    opens: int
    closes: int
    members: tuple[Member, ...]
    names: frozenset[str]
    takes: bool

    @property
    def tests(self) -> list[Member]:
        return [member for member in self.members if member.is_test]


@dataclass(slots=True)
class Outline:
    """`origins` maps a name that the file's imports bind to what it is, dotted (`App.Users`)."""

    document: Document
    root: Node
    groups: list[Group] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    _words: frozenset[str] | None = None

    def text(self, node: Node) -> str:
        return self.document.lines[node.start_byte : node.end_byte].decode(errors="replace")

    def places(self, names: Collection[str]) -> dict[str, list[int]]:
        """The offsets at which those of the names stand that are in the file, be it in code or not."""
        found: dict[bytes, list[int]] = {name.encode(): [] for name in names}
        for word in _BYTES.finditer(self.document.content) if found else ():
            if (offsets := found.get(word[0])) is not None:
                offsets.append(word.start())
        return {name.decode(): offsets for name, offsets in found.items() if offsets}

    def mentions(self, name: str) -> bool:
        """Whether the name is anywhere in the file: to import it could change what it means there."""
        if name.encode() not in self.document.content:
            return False
        if self._words is None:
            self._words = frozenset(_WORD.findall(self.document.content.decode()))
        return name in self._words or not name.isidentifier()

    def group_at(self, path: str) -> Group | None:
        return next((group for group in self.groups if group.path == path), None)

    def unit(self, default: str) -> str:
        """One level of the file's indentation: that of the first line that has one in a group."""
        for group in self.groups:
            own = self.document.indent_at(group.node.start_byte)
            for found in _INDENT.finditer(self.document.lines, group.opens, group.closes):
                if found[1].startswith(own) and len(found[1]) > len(own):
                    return found[1][len(own) :].decode()
        return default
