"""Extracts or edits parts of a test's code by byte offsets; everything else stays unchanged."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.ruby import writing
from phases.test_integration.languages.ruby.focus import Change, unfocused
from phases.test_integration.languages.ruby.outline import Group, Test
from phases.test_integration.languages.ruby.snippet import Snippet

_OFF = re.compile(r":focus\b|\bfocus:|:skip\b|\bskip:|:pending\b|\bpending:|#\{")


@dataclass(frozen=True, slots=True)
class ParsedCode:
    """Assembled code and its parse."""

    code: str
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class ExtractedTest:
    """A test without its `it` or `def`; `name` is its method's name, if it was a method."""

    title: str
    body: Snippet
    name: str = ""
    arguments: str = ""
    comments: Sequence[str] = ()


def parsed(code: str) -> ParsedCode:
    """Raises InvalidTestCode where the assembled code does not parse."""
    return ParsedCode(code, Snippet.parsed(code))


def inner(snippet: Snippet, group: Group) -> Snippet:
    """Return the body of a group."""
    block = group.block
    body = block.child_by_field_name("body") if block is not None else None
    closer = group.closer
    if body is None or closer is None:
        raise InvalidTestCode("testCode has an empty group")
    return Snippet.of(_between(snippet, body.start_byte, closer.start_byte))


def without_requires(snippet: Snippet) -> Snippet:
    return Snippet.of(_applied(snippet, [_without(snippet, member.node) for member in snippet.requires]))


def extract_tests(snippet: Snippet, title: str) -> Iterator[ExtractedTest]:
    """Yield the code's top-level tests with the comments above them."""
    comments: list[str] = []
    tests = {member.node.id: member.test for member in snippet.members if member.test}
    for node in snippet.outline.root.named_children:
        test = tests.get(node.id)
        if test:
            yield _extract(snippet, test, title, comments)
            comments = []
        elif node.type == "comment" and node.start_point.row == node.end_point.row:
            comments.append(snippet.text(node))


def with_markers(
    snippet: Snippet, lines: Sequence[str], names: Mapping[str, str], prefix: str | None
) -> ParsedCode:
    """Return the code without requires and bare `private`, with `lines` at the start of each test."""
    changes = [_without(snippet, member.node) for member in snippet.requires]
    for group in snippet.outline.groups:
        for member in group.members:
            # It would also hide the file's methods that follow the inserted ones.
            if member.word in ("private", "protected") and member.node.type == "identifier":
                changes.append(_without(snippet, member.node))
            if member.word == "focus" and member.node.type == "identifier":
                changes.append(_without(snippet, member.node))
            if member.test and member.test.has_code:
                changes += [_first_lines(snippet, member.test, lines), *unfocused(snippet, member.test)]
            changes += _renamed(snippet, member.node, names)
        if group.kind != "block":
            continue
        changes += unfocused(snippet, group)
        if prefix is not None and group.parent is snippet.outline.file:
            changes.append(_receiver(group, prefix))
    return parsed(_applied(snippet, changes))


def new_names(snippet: Snippet, used_names: Collection[str]) -> dict[str, str]:
    """Map methods and classes whose names the file uses to new names."""
    found: dict[str, str] = {}
    for group in snippet.outline.groups:
        if group.kind == "class" and group.name in used_names:
            number = 2
            while f"{group.name}{number}" in used_names:
                number += 1
            found[group.name] = f"{group.name}{number}"
        for test in group.tests if group.kind == "root" else ():
            if test.keyword == "def" and writing.as_method(test.name) in used_names:
                found[test.name] = writing.make_unique_method(test.name, used_names)
    return found


def _applied(snippet: Snippet, changes: Sequence[Change]) -> str:
    code, copied = snippet.outline.document.content, 0
    parts: list[bytes] = []
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        # A change inside an earlier one is dropped.
        if change.start >= copied:
            parts += [code[copied : change.start], change.text.encode()]
            copied = change.end
    return b"".join((*parts, code[copied:])).decode().strip("\n")


def _extract(snippet: Snippet, test: Test, title: str, comments: Sequence[str]) -> ExtractedTest:
    body = Snippet.of(_body(snippet, test))
    if test.keyword == "def":
        words = test.name.removeprefix("test_").replace("_", " ")
        return ExtractedTest(words, body, name=test.name, comments=comments)
    is_plain = test.name[:1] in ('"', "'") and not _OFF.search(test.name) and "\\" not in test.name
    arguments = test.node.child_by_field_name("arguments")
    more = ""
    if arguments is not None and len(arguments.named_children) > 1:
        last = arguments.named_children[-1].end_byte
        more = _between(snippet, arguments.named_children[0].end_byte, last)
        more = "" if _OFF.search(more) or "\n" in more else more
    return ExtractedTest(test.name[1:-1] if is_plain else title, body, arguments=more, comments=comments)


def _body(snippet: Snippet, test: Test) -> str:
    holder = test.node if test.keyword == "def" and test.node.type == "method" else _block(test)
    last = holder.children[-1]
    if last.type not in ("end", "}"):
        return snippet.text(test.body) if test.body else ""  # `def test_x = ...`
    start = holder.children[0].end_byte
    for child in holder.children[:-1]:
        if child.type in ("block_parameters", "identifier", "method_parameters", "constant"):
            start = child.end_byte
    return _between(snippet, start, last.start_byte).lstrip("; ").rstrip("; ")


def _block(test: Test) -> Node:
    block = test.node.child_by_field_name("block")
    if block is None:
        raise InvalidTestCode("testCode has a test without a body")
    return block


def _between(snippet: Snippet, start: int, end: int) -> str:
    return snippet.outline.document.content[start:end].decode()


def _without(snippet: Snippet, node: Node) -> Change:
    document = snippet.outline.document
    start, end = document.line_start(node.start_byte), document.next_line(node.end_byte)
    line = document.content[start:end]
    alone = line.strip() == document.content[node.start_byte : node.end_byte]
    # Beside other code on its line, `nil` keeps the line valid.
    return Change(start, end, "") if alone else Change(node.start_byte, node.end_byte, "nil")


def _first_lines(snippet: Snippet, test: Test, lines: Sequence[str]) -> Change:
    document = snippet.outline.document
    margin = document.indent_at(test.node.start_byte).decode()
    anchor = test.body or _block(test).children[-1]
    start = anchor.start_byte
    line_start = document.line_start(start)
    before = document.content[line_start:start]
    if not before.strip() and test.body:
        text = "".join(f"{before.decode()}{line}\n" for line in lines)
        return Change(line_start, line_start, text)
    text = "".join(f"\n{margin}{writing.INDENT}{line}" for line in lines)
    return Change(start, start, f"{text}\n{margin}{writing.INDENT if test.body else ''}")


def _renamed(snippet: Snippet, node: Node, names: Mapping[str, str]) -> list[Change]:
    name = node.child_by_field_name("name")
    if name is None or (text := snippet.text(name)) not in names:
        return []
    return [Change(name.start_byte, name.end_byte, names[text])]


def _receiver(group: Group, prefix: str) -> Change:
    start = group.node.start_byte
    method = group.node.child_by_field_name("method")
    return Change(start, method.start_byte if method is not None else start, prefix)
