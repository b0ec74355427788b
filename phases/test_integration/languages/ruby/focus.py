"""Removes focus and skip flags from a test's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from phases.test_integration.languages.ruby.dialect import EITHER
from phases.test_integration.languages.ruby.outline import Group, Test
from phases.test_integration.languages.ruby.snippet import Snippet

_FLAGS = {"focus", "skip", "pending"}
_KEYS = {"hash_key_symbol", "simple_symbol", "string"}


class Change(NamedTuple):
    """A byte range of the code and its replacement."""

    start: int
    end: int
    text: str


def unfocused_keyword(word: str) -> str:
    """Return `it` for `fit`, `xit` and `focus`, `describe` for `fdescribe`; other words unchanged."""
    if word == "focus":
        return "it"
    return word[1:] if word in EITHER.focused | EITHER.skipped else word


def unfocused(snippet: Snippet, found: Group | Test) -> list[Change]:
    """Return the changes that let a group or test run together with the file's other tests."""
    if found.node.type != "call":
        return []
    method = found.node.child_by_field_name("method")
    changes = list(_without_flags(snippet, found.node))
    if method is not None and unfocused_keyword(found.keyword) != found.keyword:
        changes.append(Change(method.start_byte, method.end_byte, unfocused_keyword(found.keyword)))
    return changes


def _without_flags(snippet: Snippet, call: Node) -> Iterator[Change]:
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    for position, each in enumerate(given):
        if not _is_flag(snippet, each):
            continue
        if position:
            yield Change(given[position - 1].end_byte, each.end_byte, "")
        else:
            end = given[1].start_byte if len(given) > 1 else each.end_byte
            yield Change(each.start_byte, end, "")


def _is_flag(snippet: Snippet, argument: Node) -> bool:
    """Return whether it is `:focus`, `focus: true` or `:focus => true`."""
    if argument.type == "simple_symbol":
        return snippet.text(argument)[1:] in _FLAGS
    key = argument.child_by_field_name("key") if argument.type == "pair" else None
    return key is not None and key.type in _KEYS and snippet.text(key).strip(":\"'") in _FLAGS
