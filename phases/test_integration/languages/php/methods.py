"""Reads methods of PHP classes, and which of them PHPUnit runs as tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tree_sitter import Node

from phases.test_integration.languages.shared.code import comments_above
from phases.test_integration.languages.shared.outline import Member

HOOKS = frozenset(
    {"setup", "setupbeforeclass", "teardown", "teardownafterclass"}
    | {"assertpreconditions", "assertpostconditions"}
)

_TEST_TAG = re.compile(r"@test\b")
_TEST_ATTRIBUTE = re.compile(r"(?:^|[\\,\[\s])Test\s*(?:$|[,\]\(])")


def text_of(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def method_member(siblings: Sequence[Node], index: int, text: Callable[[Node], str] = text_of) -> Member:
    """Return a method, a child of a class body, with its comment and attributes.

    `text` reads a node: an outline does it faster than `node.text`.
    """
    node = siblings[index]
    above = comments_above(siblings, index)
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    called, comment = text(name) if name else "", "\n".join(map(text, above))
    is_named = called.startswith("test") or has_test_tag(comment) or has_test_attribute(node, text)
    return Member(
        name=called,
        start=above[0].start_byte if above else node.start_byte,
        end=node.end_byte,
        node=node,
        body=body,
        is_test=is_named and body is not None and _is_callable(node, text),
        comment=comment,
    )


def attribute_of(node: Node, text: Callable[[Node], str] = text_of) -> str:
    attributes = node.child_by_field_name("attributes")
    return text(attributes) if attributes else ""


def has_test_tag(comment: str) -> bool:
    return bool(_TEST_TAG.search(comment))


def has_test_attribute(node: Node, text: Callable[[Node], str] = text_of) -> bool:
    return bool(_TEST_ATTRIBUTE.search(attribute_of(node, text)))


def _is_callable(node: Node, text: Callable[[Node], str]) -> bool:
    """Return whether PHPUnit can call the method: public, not static, not abstract."""
    for child in node.children:
        if child.type in ("abstract_modifier", "static_modifier"):
            return False
        if child.type == "visibility_modifier" and text(child) != "public":
            return False
        if child.type == "function":
            break
    return True
