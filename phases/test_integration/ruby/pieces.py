"""Parts of a test's code, taken out or changed at their places: nothing else of it moves."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.ruby import writing
from phases.test_integration.ruby.focus import Change, unfocused
from phases.test_integration.ruby.layout import Group, Test
from phases.test_integration.ruby.snippet import Snippet

_OFF = re.compile(r":focus\b|\bfocus:|:skip\b|\bskip:|:pending\b|\bpending:|#\{")


@dataclass(frozen=True, slots=True)
class Text:
    """Code that was put together, and how it reads."""

    code: str
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class LooseTest:
    """A test out of its form: `name` is that of its method, if it was one."""

    title: str
    body: Snippet
    name: str = ""
    arguments: str = ""
    comments: Sequence[str] = ()


def parsed(code: str) -> Text:
    """Raises InvalidTestCode where what was put together does not parse."""
    return Text(code, Snippet.parsed(code))


def inner(snippet: Snippet, group: Group) -> Snippet:
    """What stands in the group."""
    block = group.block
    body = block.child_by_field_name("body") if block is not None else None
    closer = group.closer
    if body is None or closer is None:
        raise InvalidTestCode("testCode has an empty group")
    return Snippet.of(_between(snippet, body.start_byte, closer.start_byte))


def without_requires(snippet: Snippet) -> Snippet:
    return Snippet.of(_applied(snippet, [_without(snippet, member.node) for member in snippet.requires]))


def loose_tests(snippet: Snippet, title: str) -> Iterator[LooseTest]:
    comments: list[str] = []
    tests = {member.node.id: member.test for member in snippet.members if member.test}
    for node in snippet.layout.root.named_children:
        test = tests.get(node.id)
        if test:
            yield _loose(snippet, test, title, comments)
            comments = []
        elif node.type == "comment" and node.start_point.row == node.end_point.row:
            comments.append(snippet.text(node))


def marked(snippet: Snippet, lines: Sequence[str], names: Mapping[str, str], prefix: str | None) -> Text:
    """The whole code without its requires and bare `private`s, each test with `lines` at its beginning."""
    changes = [_without(snippet, member.node) for member in snippet.requires]
    for group in snippet.layout.groups:
        for member in group.members:
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
        if prefix is not None and group.parent is snippet.layout.file:
            changes.append(_receiver(group, prefix))
    return parsed(_applied(snippet, changes))


def new_names(snippet: Snippet, taken: Collection[str]) -> dict[str, str]:
    """For the methods and classes whose names the file has already."""
    found: dict[str, str] = {}
    for group in snippet.layout.groups:
        if group.kind == "class" and group.name in taken:
            number = 2
            while f"{group.name}{number}" in taken:
                number += 1
            found[group.name] = f"{group.name}{number}"
        for test in group.tests if group.kind == "root" else ():
            if test.keyword == "def" and writing.as_method(test.name) in taken:
                found[test.name] = writing.unique_method(test.name, taken)
    return found


def _applied(snippet: Snippet, changes: Sequence[Change]) -> str:
    code, taken = snippet.layout.document.content, 0
    parts: list[bytes] = []
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        if change.start >= taken:
            parts += [code[taken : change.start], change.text.encode()]
            taken = change.end
    return b"".join((*parts, code[taken:])).decode().strip("\n")


def _loose(snippet: Snippet, test: Test, title: str, comments: Sequence[str]) -> LooseTest:
    body = Snippet.of(_body(snippet, test))
    if test.keyword == "def":
        words = test.name.removeprefix("test_").replace("_", " ")
        return LooseTest(words, body, name=test.name, comments=comments)
    is_plain = test.name[:1] in ('"', "'") and not _OFF.search(test.name) and "\\" not in test.name
    arguments = test.node.child_by_field_name("arguments")
    more = ""
    if arguments is not None and len(arguments.named_children) > 1:
        last = arguments.named_children[-1].end_byte
        more = _between(snippet, arguments.named_children[0].end_byte, last)
        more = "" if _OFF.search(more) or "\n" in more else more
    return LooseTest(test.name[1:-1] if is_plain else title, body, arguments=more, comments=comments)


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
    return snippet.layout.document.content[start:end].decode()


def _without(snippet: Snippet, node: Node) -> Change:
    document = snippet.layout.document
    start, end = document.line_start(node.start_byte), document.next_line(node.end_byte)
    line = document.content[start:end]
    alone = line.strip() == document.content[node.start_byte : node.end_byte]
    return Change(start, end, "") if alone else Change(node.start_byte, node.end_byte, "nil")


def _first_lines(snippet: Snippet, test: Test, lines: Sequence[str]) -> Change:
    document = snippet.layout.document
    margin = document.indent_at(test.node.start_byte).decode()
    place = test.body or _block(test).children[-1]
    start = place.start_byte
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
