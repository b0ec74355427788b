"""A red test's PHP code, classified: imports and a body, complete methods, or a class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.php.methods import method_member
from phases.test_integration.languages.php.outline import GRAMMAR, STRINGS, bindings_of
from phases.test_integration.languages.shared.code import (
    INDENT,
    dedented,
    parsed,
    rows_within,
    tidy,
    to_file_style,
)
from phases.test_integration.languages.shared.outline import Member
from phases.test_integration.read.document import Document

# What makes a text a file of its own. All are ASCII, so that their lengths are offsets in bytes too.
TOP = "<?php\n"
CLASS = "<?php class A {\n"
METHOD = "<?php class A { function f() {\n"
_DROPPED = {"declare_statement", "namespace_definition", "namespace_use_declaration"}


@dataclass(frozen=True)
class PhpSnippet:
    """`code` is a body or, with `is_complete`, members of a class; `imports` are as in `bindings_of`."""

    code: str
    is_complete: bool
    imports: dict[str, tuple[str, str]]
    class_name: str = ""
    traits: tuple[str, ...] = ()

    @classmethod
    def of(cls, code: str) -> PhpSnippet:
        """Raises InvalidTestCode for code that is not valid PHP, or that would do more than add tests."""
        text = re.sub(r"\A<\?php\b[ \t]*\n?", "", tidy(code))
        text = tidy(re.sub(r"\?>\s*\Z", "", text))
        root = parsed(GRAMMAR, TOP + text)
        snippet = _of_top_level(text, root) if root is not None else _of_members(text, {})
        if not snippet.code.strip():
            raise InvalidTestCode("testCode has no statement")
        if not snippet.is_complete and not _is_one_method(METHOD + snippet.code + "\n}}"):
            raise InvalidTestCode("testCode is not valid PHP: it is no body of a method")
        return snippet

    @cached_property
    def protected(self) -> set[int]:
        return string_rows(self.code, is_complete=self.is_complete)

    @cached_property
    def root(self) -> Node:
        header = CLASS if self.is_complete else METHOD
        return parse_known(header + self.code + ("\n}" if self.is_complete else "\n}}"))

    @property
    def offset(self) -> int:
        """Return the offset of the code in `root`."""
        return len(CLASS if self.is_complete else METHOD)


def parse_known(text: str) -> Node:
    return GRAMMAR.parse(Document(text.encode())).root_node


def string_rows(code: str, *, is_complete: bool) -> set[int]:
    header, footer = (CLASS, "\n}") if is_complete else (METHOD, "\n}}")
    return rows_within(parse_known(header + code + footer), STRINGS, above=1)


def members_of(root: Node) -> list[Node]:
    """Return the members of a text's only class."""
    for node in root.named_children:
        body = node.child_by_field_name("body") if node.type == "class_declaration" else None
        if body is not None:
            return body.named_children
    return []


def traits_of(declaration: Node) -> tuple[str, ...]:
    """Return the simple names of the traits that a class uses."""
    body = declaration.child_by_field_name("body")
    return tuple(
        (child.text or b"").decode(errors="replace").rpartition("\\")[2]
        for node in (body.named_children if body else ())
        if node.type == "use_declaration"
        for child in node.named_children
        if child.type in ("name", "qualified_name")
    )


def methods_of(root: Node) -> list[Member]:
    members = members_of(root)
    return [
        method_member(members, index)
        for index, node in enumerate(members)
        if node.type == "method_declaration"
    ]


def _of_top_level(text: str, root: Node) -> PhpSnippet:
    """Classify code that parses as a whole file, and remove its imports and namespace."""
    nodes = [node for node in root.named_children if node.type != "php_tag"]
    block = (
        nodes[0].child_by_field_name("body") if nodes and nodes[0].type == "namespace_definition" else None
    )
    if block is not None:
        nodes = [*nodes[1:], *block.named_children]
    imports = {
        name: origin
        for node in nodes
        if node.type == "namespace_use_declaration"
        for name, origin in bindings_of(node).items()
    }
    rest = [node for node in nodes if node.type not in _DROPPED]
    code = [node for node in rest if node.type != "comment"]
    if not code:
        raise InvalidTestCode("testCode has no statement")
    classes = [node for node in code if node.type == "class_declaration"]
    if classes:
        return _of_class(text, classes, code, imports)
    if code and all(node.type == "function_definition" for node in code):
        return _of_members(_between(text, rest[0].start_byte, rest[-1].end_byte), imports)
    kept = _without(text, [node for node in nodes if node.type in _DROPPED and node is not block])
    return PhpSnippet(_normalize(kept, is_complete=False), False, imports)


def _of_class(
    text: str, classes: list[Node], code: list[Node], imports: dict[str, tuple[str, str]]
) -> PhpSnippet:
    """Return the members of a single class; its traits must exist in the file's class."""
    if len(classes) > 1 or len(code) > 1:
        raise InvalidTestCode("testCode has more than a class of tests: make what it needs its methods")
    body = classes[0].child_by_field_name("body")
    name = classes[0].child_by_field_name("name")
    if body is None or name is None:
        raise InvalidTestCode("testCode's class has no body")
    inner = _between(text, body.start_byte + 1, body.end_byte - 1)
    members = body.named_children
    traits = [node for node in members if node.type == "use_declaration"]
    start = len(TOP) + len(text[: text.index(inner)].encode()) if inner in text else 0
    kept = _without(inner, traits, start)
    return PhpSnippet(
        _normalize(kept, is_complete=True), True, imports, (name.text or b"").decode(), traits_of(classes[0])
    )


def _of_members(text: str, imports: dict[str, tuple[str, str]]) -> PhpSnippet:
    root = parsed(GRAMMAR, CLASS + text + "\n}")
    if root is None or [node.type for node in root.named_children] != ["php_tag", "class_declaration"]:
        raise InvalidTestCode("testCode is not valid PHP")
    members = members_of(root)
    if not any(node.type == "method_declaration" for node in members):
        raise InvalidTestCode("testCode has no test")
    uses = [node for node in members if node.type == "use_declaration"]
    found = {name: origin for node in uses for name, origin in bindings_of(node).items()}
    kept = _without(text, uses, len(CLASS))
    return PhpSnippet(_normalize(kept, is_complete=True), True, {**imports, **found})


def _is_one_method(text: str) -> bool:
    root = parsed(GRAMMAR, text)
    if root is None or [node.type for node in root.named_children] != ["php_tag", "class_declaration"]:
        return False
    return [node.type for node in members_of(root)] == ["method_declaration"]


def _normalize(code: str, *, is_complete: bool) -> str:
    normalized = tidy(code)
    rows = string_rows(normalized, is_complete=is_complete)
    return to_file_style(dedented(normalized, rows), rows, "", INDENT, "\n")


def _between(text: str, start: int, end: int) -> str:
    return text.encode()[start - len(TOP) : end - len(TOP)].decode()


def _without(text: str, nodes: list[Node], start: int = len(TOP)) -> str:
    """Return the text without these statements and the rest of their lines; `start` is the text's offset."""
    content = text.encode()
    for node in reversed(nodes):
        begin, end = node.start_byte - start, node.end_byte - start
        content = content[:begin].rstrip(b" \t") + content[end:].lstrip(b" \t").removeprefix(b"\n")
    return content.decode()
