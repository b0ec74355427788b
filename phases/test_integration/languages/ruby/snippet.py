"""A red test's Ruby code: its statements, the names it reads, and rows that must keep their indentation."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field

from tree_sitter import Node, Tree

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from phases.test_integration.languages.ruby.dialect import EITHER
from phases.test_integration.languages.ruby.outline import GRAMMAR, Member, Outline, text_of
from phases.test_integration.languages.ruby.reader import read_outline
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import rows_starting_in, walk

REQUIRES = {"require", "require_relative"}
_STRINGS = {"heredoc_body", "string", "regex", "subshell", "string_content", "uninterpreted"}
_SCOPES = {"class", "module", "singleton_class"}
# The grammar parses these as names where they stand alone; Ruby does not.
_RESERVED_WORDS = """
    alias and begin break case class def defined? do else elsif end ensure for if in module next not or redo
    rescue retry return super then undef unless until when while yield
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
_CLAUSE = re.compile(r"^(?:rescue|ensure|else)\b", re.MULTILINE)
MAX_NODES = 60_000  # of the syntax tree of a test's code
_JUMPS = {"break", "next", "redo", "retry", "yield"}
_METHODS = {"method", "singleton_method"}
_LEFT = {"block", "do_block", "lambda", "while", "until", "for", "while_modifier", "until_modifier"}
_MAX_ANCESTORS = 100  # nodes
_MAGIC = re.compile(r"\s*#[\s*-]*(?:frozen[_-]string[_-]literal|(?:en)?coding|warn[_-]indent|typed)\s*:.*\n")
_SPREADING = re.compile(r"#[\s*-]*shareable[_-]constant[_-]value", re.I)
_NAMING = {"method", "singleton_method", "keyword_parameter", "alias", "undef"}


@dataclass(frozen=True)
class Snippet:
    """Valid code without common indentation and with `\\n` endings.

    `protected` are the rows that start inside a string. `bare_names` are identifiers that the code does not
    bind. With `needs_block` the code cannot be in a `def`, as it defines classes or constants.
    """

    code: str
    outline: Outline
    protected: frozenset[int]
    bare_names: frozenset[str]
    words: frozenset[str]
    constants: frozenset[str]
    needs_block: bool
    requires: tuple[Member, ...] = field(default=())

    @classmethod
    def of(cls, code: str) -> Snippet:
        """Raises InvalidTestCode."""
        code = re.sub(r"\r\n?", "\n", code)
        start = 0
        # A magic comment has an effect only at the start of a file.
        while magic := _MAGIC.match(code, start):
            start = magic.end()
        code = _without_margin(code[start:].rstrip().lstrip("\n"))
        if re.search(r"\\\s*$", code):
            raise InvalidTestCode("testCode ends with a backslash")
        if _CLAUSE.search(code):
            with suppress(InvalidTestCode):
                return cls.parsed(code)
            return cls._as_block(code)
        return cls.parsed(code)

    @classmethod
    def _as_block(cls, code: str) -> Snippet:
        """Parse a method's statements with the `rescue` or `ensure` of the whole method."""
        wrapped = cls.parsed(f"begin\n{code}\nend")
        lines = wrapped.code.split("\n")
        inner = [
            row
            for row in range(1, len(lines) - 1)
            if row not in wrapped.protected and lines[row].strip() and not _CLAUSE.match(lines[row])
        ]
        is_flat = any(lines[row][0] not in " \t" for row in inner)
        for row in inner if is_flat else ():
            lines[row] = f"  {lines[row]}"
        return cls.parsed("\n".join(lines))

    @classmethod
    def parsed(cls, code: str) -> Snippet:
        """Parse the code unchanged. Raises InvalidTestCode."""
        document = Document(f"{code}\n".encode())
        try:
            tree = GRAMMAR.parse(document)
        except TargetRejected:
            raise InvalidTestCode("testCode takes too long to parse") from None
        _check_size(tree)
        summary = _CodeSummary()
        stack: list[tuple[Node, _Ancestors | None]] = [(tree.root_node, None)]
        while stack:
            node, ancestors = stack.pop()
            summary.add(document, node, ancestors)
            here = _Ancestors(node, ancestors)
            stack.extend((child, here) for child in reversed(node.children))
        outline = read_outline(document, tree, EITHER)
        requires = [member for member in outline.file.members if member.word in REQUIRES]
        return cls(
            code=code,
            outline=outline,
            protected=frozenset(summary.protected),
            bare_names=frozenset(summary.read - summary.bound),
            words=frozenset(summary.read | summary.constants),
            constants=frozenset(summary.defined),
            needs_block=summary.needs_block,
            requires=tuple(requires),
        )

    @property
    def members(self) -> list[Member]:
        """Return the top-level statements without requires."""
        return [member for member in self.outline.file.members if member.word not in REQUIRES]

    @property
    def is_body(self) -> bool:
        return not self.outline.file.holds_tests and not any(member.holds_tests for member in self.members)

    @property
    def is_only_tests(self) -> bool:
        return not self.is_body and all(member.test for member in self.members)

    def text(self, node: Node) -> str:
        return text_of(self.outline.document, node)


@dataclass(frozen=True, slots=True, eq=False)
class _Ancestors:
    """A node and its ancestors; `node.parent` takes time that grows with the width of the file."""

    node: Node
    outer: _Ancestors | None

    def first(self, types: Collection[str]) -> str:
        """Return the type of the innermost node of these types, empty where none is near."""
        ancestors: _Ancestors | None = self
        for _ in range(_MAX_ANCESTORS):
            if ancestors is None:
                break
            if ancestors.node.type in types:
                return ancestors.node.type
            ancestors = ancestors.outer
        return ""


@dataclass
class _CodeSummary:
    """Names and rows collected while walking the tree once."""

    protected: set[int] = field(default_factory=set)
    reached: int = 0
    read: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    constants: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    needs_block: bool = False

    def add(self, document: Document, node: Node, ancestors: _Ancestors | None) -> None:
        """Collect one node; raises InvalidTestCode for code that would break the file."""
        kind = node.type
        if node.is_error or node.is_missing:
            raise InvalidTestCode(f"testCode is no valid Ruby, near line {node.start_point.row + 1}")
        if kind in ("uninterpreted", "begin_block", "end_block"):
            raise InvalidTestCode("testCode has what only a whole file may have: __END__, BEGIN or END")
        if kind == "heredoc_end" and node.start_byte == node.end_byte:
            raise InvalidTestCode("testCode has a heredoc without end")
        if kind == "comment" and _SPREADING.match(text_of(document, node)):
            raise InvalidTestCode("testCode has a comment that changes the constants behind it")
        if kind in _STRINGS or (kind == "comment" and node.end_point.row > node.start_point.row):
            first = node.start_point.row + (0 if kind == "comment" else 1)
            # Nodes come in order of their start: a nested node adds no row.
            self.protected.update(range(max(first, self.reached), node.end_point.row + 1))
            self.reached = max(self.reached, node.end_point.row + 1)
        elif kind == "identifier":
            self._identifier(document, node, ancestors)
        elif kind == "instance_variable":
            self.read.add(text_of(document, node))
        elif kind == "constant":
            self._constant(document, node, ancestors)
        elif kind in _SCOPES and node.is_named:
            self._defines(ancestors)
        elif kind in _JUMPS and node.is_named:
            self._jump(node, ancestors)
        elif kind == "assignment":
            left = node.child_by_field_name("left")
            if left is not None and left.type == "instance_variable":
                self.bound.add(text_of(document, left))
            if left is not None and left.type in ("nil", "self", "true", "false"):
                raise InvalidTestCode(f"testCode assigns to {left.type}")

    def _identifier(self, document: Document, node: Node, ancestors: _Ancestors | None) -> None:
        """Record an identifier as read or bound; raises InvalidTestCode for a reserved word."""
        parent, text = ancestors.node if ancestors else None, text_of(document, node)
        role = parent.type if parent else ""
        if text in _RESERVED and not self._may_be_reserved(node, parent):
            raise InvalidTestCode(f"testCode is no valid Ruby: {text} in line {node.start_point.row + 1}")
        if (
            role in ("assignment", "operator_assignment")
            and parent
            and _is(parent, "left", node)
            or role.endswith(("parameters", "parameter", "assignment_list", "pattern"))
            or (role in ("method", "exception_variable", "for", "rest_assignment"))
        ):
            self.bound.add(text)
        elif role == "call" and parent and _is(parent, "method", node):
            if parent.child_by_field_name("receiver") is None:
                self.bound.add(text)  # a call with arguments is not a bare name
        else:
            self.read.add(text)

    def _may_be_reserved(self, node: Node, parent: Node | None) -> bool:
        if parent is None or parent.type == "call":
            has_receiver = parent is not None and parent.child_by_field_name("receiver") is not None
            return has_receiver and parent is not None and _is(parent, "method", node)
        return parent.type in _NAMING

    def _defines(self, ancestors: _Ancestors | None) -> None:
        """Record a class or a constant, which a method cannot define."""
        self.needs_block = True
        if ancestors and ancestors.first(_METHODS | _SCOPES | {"do_block", "block"}) in _METHODS:
            raise InvalidTestCode("testCode defines a class or a constant in a method")

    def _jump(self, node: Node, ancestors: _Ancestors | None) -> None:
        """Check a jump: Ruby rejects the whole file where it has no loop, block or method."""
        if node.type == "retry":
            is_fit = ancestors is not None and ancestors.first(_METHODS | {"rescue"}) == "rescue"
        elif node.type == "yield":
            is_fit = ancestors is not None and ancestors.first(_METHODS) != ""
        else:
            left = ancestors.first(_METHODS | _LEFT) if ancestors else ""
            self.needs_block |= not left
            is_fit = left not in _METHODS
        if not is_fit:
            raise InvalidTestCode(f"testCode has {node.type} where Ruby rejects it")

    def _constant(self, document: Document, node: Node, ancestors: _Ancestors | None) -> None:
        parent, text = ancestors.node if ancestors else None, text_of(document, node)
        self.constants.add(text)
        if parent is None:
            return
        if parent.type in ("assignment", "operator_assignment") and _is(parent, "left", node):
            self._defines(ancestors)
            self.defined.add(text)
        elif parent.type in _SCOPES and _is(parent, "name", node):
            self.defined.add(text)


def _is(parent: Node, name: str, node: Node) -> bool:
    child = parent.child_by_field_name(name)
    return child is not None and child.id == node.id


def _check_size(tree: Tree) -> None:
    """Raises InvalidTestCode before any node of a large tree is read: each takes memory."""
    if tree.root_node.descendant_count > MAX_NODES:
        raise InvalidTestCode("testCode is too long for a test")


def _without_margin(code: str) -> str:
    """Return the code without common indentation; unchanged if only its first line has none."""
    document = Document(f"{code}\n".encode())
    try:
        tree = GRAMMAR.parse(document)
    except TargetRejected:
        return code
    _check_size(tree)
    kept = {*_STRINGS, "comment"}
    protected = rows_starting_in(node for node in walk(tree.root_node) if node.type in kept)
    lines = code.split("\n")
    free = [row for row, line in enumerate(lines) if row not in protected and line.strip()]
    margin = min((len(lines[row]) - len(lines[row].lstrip(" \t")) for row in free), default=0)
    for row in free if margin else ():
        lines[row] = lines[row][margin:]
    return "\n".join(lines)
