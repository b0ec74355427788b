"""A red test's Java code, classified: imports and a body, complete methods, or classes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.java.outline import (
    GRAMMAR,
    STRINGS,
    import_of,
    method_member,
    name_of,
)
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

CLASS, METHOD = "class A {\n", "class A { void f() throws Exception {\n"
BODY, METHODS, CLASSES = "body", "methods", "classes"
_WRAPS = {BODY: (METHOD, "\n}}"), METHODS: (CLASS, "\n}"), CLASSES: ("\n", "\n")}
_TYPES = {"class_declaration", "record_declaration", "enum_declaration", "interface_declaration"}
_DROPPED = {"import_declaration", "package_declaration"}
_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u+([0-9A-Fa-f]{4})?")


@dataclass(frozen=True)
class JavaSnippet:
    """`imports` are `(origin, is_static, is_star)`; `kind` says what `code` is."""

    code: str
    kind: str
    imports: tuple[tuple[str, bool, bool], ...]
    class_name: str = ""

    @classmethod
    def of(cls, code: str) -> JavaSnippet:
        """Raises InvalidTestCode for code that is not valid Java, or that would do more than add tests."""
        text = tidy(code)
        root = parsed(GRAMMAR, text)
        if root is None:
            raise InvalidTestCode("testCode is not valid Java")
        snippet = _of_top_level(text, root)
        if not snippet.code.strip():
            raise InvalidTestCode("testCode has no statement")
        # The compiler reads the translated code, so that must have the same shape.
        for each in {snippet.code, _translated(snippet.code)}:
            if not _has_shape(each, snippet.kind):
                raise InvalidTestCode(f"testCode is not valid Java: it is no {snippet.kind} of a test")
        return snippet

    @cached_property
    def protected(self) -> set[int]:
        return string_rows(self.code, self.kind)

    @cached_property
    def root(self) -> Node:
        return parse_as(self.code, self.kind)

    @property
    def offset(self) -> int:
        """Return the offset of the code in `root`."""
        return len(_WRAPS[self.kind][0])


def parse_as(code: str, kind: str) -> Node:
    before, after = _WRAPS[kind]
    return GRAMMAR.parse(Document((before + code + after).encode())).root_node


def string_rows(code: str, kind: str) -> set[int]:
    return rows_within(parse_as(code, kind), STRINGS, above=1)


def types_of(root: Node) -> list[Node]:
    return [node for node in root.named_children if node.type in _TYPES]


def members_of(node: Node) -> list[Node]:
    body = node.child_by_field_name("body")
    return body.named_children if body is not None else []


def methods_of(root: Node) -> list[Member]:
    """Return the methods of all top-level classes."""
    return [member for each in types_of(root) for member in _methods(each)]


def _of_top_level(text: str, root: Node) -> JavaSnippet:
    """Classify code that parses as a whole file, and remove its imports and package."""
    nodes = root.named_children
    imports = tuple(import_of(node) for node in nodes if node.type == "import_declaration")
    code = [node for node in nodes if node.type not in _DROPPED and "comment" not in node.type]
    if not code:
        raise InvalidTestCode("testCode has no statement")
    kept = _without(text, [node for node in nodes if node.type in _DROPPED])
    kinds = {node.type for node in code}
    if kinds and kinds <= _TYPES:
        return _of_classes(text, kept, code, imports)
    if kinds == {"method_declaration"}:
        return JavaSnippet(_normalize(kept, METHODS), METHODS, imports)
    if "method_declaration" in kinds:
        raise InvalidTestCode("testCode has statements beside its methods")
    return JavaSnippet(_normalize(kept, BODY), BODY, imports)


def _of_classes(
    text: str, kept: str, classes: list[Node], imports: tuple[tuple[str, bool, bool], ...]
) -> JavaSnippet:
    """Return one plain test class as its methods; other classes stay complete."""
    with_tests = [node for node in classes if any(member.is_test for member in _methods(node))]
    main = (with_tests or classes)[0]
    name, members = name_of(main), members_of(main)
    is_plain = len(classes) == 1 and all(
        "comment" in node.type or (node.type == "method_declaration" and not _is_hook(node))
        for node in members
    )
    body = main.child_by_field_name("body")
    if is_plain and main.child_by_field_name("superclass") is None and body is not None and with_tests:
        inner = text.encode()[body.start_byte + 1 : body.end_byte - 1].decode()
        return JavaSnippet(_normalize(inner, METHODS), METHODS, imports, name)
    return JavaSnippet(_normalize(kept, CLASSES), CLASSES, imports, name)


def _methods(node: Node) -> list[Member]:
    members = members_of(node)
    return [
        method_member(members, index)
        for index, each in enumerate(members)
        if each.type == "method_declaration"
    ]


def _is_hook(node: Node) -> bool:
    text = (node.text or b"")[:400]
    return bool(re.search(rb"@(?:Before|After)(?:Each|All)\b", text))


def _has_shape(code: str, kind: str) -> bool:
    before, after = _WRAPS[kind]
    root = parsed(GRAMMAR, before + code + after)
    if root is None:
        return False
    nodes = [node for node in root.named_children if "comment" not in node.type]
    if kind == CLASSES:
        return bool(nodes) and {node.type for node in nodes} <= _TYPES
    # Code that closes the class around it early would leave more nodes.
    if [node.type for node in nodes] != ["class_declaration"]:
        return False
    members = [node.type for node in members_of(nodes[0]) if "comment" not in node.type]
    return members == ["method_declaration"] if kind == BODY else set(members) == {"method_declaration"}


def _translated(code: str) -> str:
    """Return the code after Java's translation of `\\\\u007d`, which it does even in strings and comments.

    Raises InvalidTestCode.
    """

    def translate(found: re.Match[str]) -> str:
        if not found[2]:
            raise InvalidTestCode("testCode has a \\u that is no Unicode escape")
        char = chr(int(found[2], 16))
        return found[1] + ("x" if "\ud800" <= char <= "\udfff" else char)

    return _ESCAPE.sub(translate, code)


def _normalize(code: str, kind: str) -> str:
    normalized = tidy(code)
    rows = string_rows(normalized, kind)
    return to_file_style(dedented(normalized, rows), rows, "", INDENT, "\n")


def _without(text: str, nodes: list[Node]) -> str:
    """Return the text without these statements and the rest of their lines."""
    content = text.encode()
    for node in reversed(nodes):
        head, tail = content[: node.start_byte].rstrip(b" \t"), content[node.end_byte :].lstrip(b" \t;")
        content = head + tail.removeprefix(b"\n")
    return content.decode()
