"""A red test's Go code, classified: a function's body, or complete functions with what they need."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from phases.test_integration.languages.golang.indentation import indent_with_tabs, rows_in_strings
from phases.test_integration.languages.golang.names import (
    PREDECLARED,
    Ancestors,
    in_clause,
    is_key,
    is_read,
    is_top_level,
    walk_with_ancestors,
)
from phases.test_integration.languages.golang.outline import (
    GRAMMAR,
    IDENTIFIERS,
    Outline,
    default_name,
    read_outline,
)
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import errors, walk

_FUNCTIONS = frozenset({"function_declaration", "method_declaration"})
_DECLARATIONS = _FUNCTIONS | frozenset(
    {"import_declaration", "package_clause"}
    | {"var_declaration", "const_declaration", "type_declaration", "comment"}
)
_HEADER, _FOOTER = "package p\n\nfunc _() {\n", "\n}\n"
_PACKAGE = re.compile(r"(?:\s|//[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*package\s")
_IMPORT = re.compile(r"\s*(?:package\s+\w+\s*;?\n|import\s*(?:\([^)]*\)|(?:[\w.]+\s*)?[\"`][^\"`\n]*[\"`]))")
_COMMENT = re.compile(r"\s*//[^\n]*\n")
_MAX_NODES = 20_000  # about 20 times the size of a hand-written test


@dataclass(frozen=True)
class Snippet:
    """Go code with `\\n` endings, indented by tabs. `outline` is that of a file that wraps the code."""

    code: str
    is_body: bool
    outline: Outline
    imports: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, code: str) -> Snippet:
        """Raises InvalidTestCode for code that is not valid Go, or has no statement."""
        text = re.sub(r"\r\n?", "\n", code).strip("\n")
        if not text.strip():
            raise InvalidTestCode("testCode has no statement")
        as_file = _parsed(text if _PACKAGE.match(text) else f"package p\n{text}")
        kinds = [node.type for node in as_file.root.named_children] if as_file else []
        if as_file and _DECLARATIONS.issuperset(kinds) and _FUNCTIONS.intersection(kinds):
            return cls(text, False, as_file, _named(as_file))
        head, body = _without_imports(text)
        body = _indent_with_tabs(body)
        inner = _parsed(_HEADER + body + _FOOTER)
        kinds = [node.type for node in inner.root.named_children] if inner else []
        # A body that closes the function early would leave more nodes.
        if inner is None or kinds != ["package_clause", "function_declaration"]:
            raise InvalidTestCode("testCode is not valid Go: neither a function's body nor whole functions")
        if not _statements(inner):
            raise InvalidTestCode("testCode has no statement")
        imports = _parsed(f"package p\n{head}")
        return cls(body, True, inner, _named(imports) if imports else ())

    @cached_property
    def used(self) -> Counter[str]:
        """Count the names that are read: not fields, keys, or names that are only declared or assigned."""
        return Counter(
            self.outline.text(node) for node, ancestors in self._identifiers if is_read(node, ancestors)
        )

    @cached_property
    def declared(self) -> set[str]:
        """Return the names that the code itself binds, at any depth."""
        return {
            self.outline.text(node) for node, ancestors in self._identifiers if not is_read(node, ancestors)
        }

    @cached_property
    def packages(self) -> dict[str, set[str]]:
        """Map names used like packages (`name.Exported`), and not bound here, to the exported names."""
        found: dict[str, set[str]] = {}
        for node in walk(self.outline.root):
            if node.type == "selector_expression":
                operand, member = node.child_by_field_name("operand"), node.child_by_field_name("field")
            elif node.type == "qualified_type":
                operand, member = node.child_by_field_name("package"), node.child_by_field_name("name")
            else:
                continue
            if operand is not None and member is not None and operand.type in IDENTIFIERS:
                name = self.outline.text(operand)
                if name not in self.declared and self.outline.text(member)[:1].isupper():
                    found.setdefault(name, set()).add(self.outline.text(member))
        return found

    @cached_property
    def free(self) -> list[str]:
        """Return names that are read and not bound in the code, without packages."""
        imported = {name for name, _ in self.imports}
        return [
            name
            for name in self.used
            if name not in self.declared | PREDECLARED | imported and name not in self.packages
        ]

    def check_locals(self) -> None:
        """Check that every local variable is read: otherwise Go compiles none of the package's tests.

        Raises InvalidTestCode.
        """
        for node, ancestors in walk_with_ancestors(self.outline.root):
            names: list[Node] = []
            if node.type == "short_var_declaration" and (left := node.child_by_field_name("left")):
                names = left.named_children
            elif node.type == "var_spec" and not is_top_level(ancestors):
                names = node.children_by_field_name("name")
            for name in map(self.outline.text, names):
                if name != "_" and not self.used[name]:
                    raise InvalidTestCode(f"testCode declares {name} and never reads it, which Go rejects")

    def renamed(self, names: Mapping[str, str]) -> Snippet:
        """Return the code with these variables, functions, types and packages renamed, but no members."""
        if not names:
            return self
        source = self.outline.document.content
        pieces: list[bytes] = []
        copied = 0
        for node, ancestors in walk_with_ancestors(self.outline.root):
            if node.type == "import_spec" and node.child_by_field_name("name") is None:
                # An import without a name gets the new one, written before its path.
                name = default_name(self.outline.text(node).strip('"`'))
                if name in names:
                    pieces += [source[copied : node.start_byte], f"{names[name]} ".encode()]
                    copied = node.start_byte
            elif node.type in IDENTIFIERS and not is_key(ancestors):
                name = self.outline.text(node)
                if name in names:
                    pieces += [source[copied : node.start_byte], names[name].encode()]
                    copied = node.end_byte
        text = b"".join((*pieces, source[copied:])).decode()
        if self.is_body:
            text = text.removeprefix(_HEADER).removesuffix(_FOOTER)
        else:
            text = text.removeprefix("package p\n") if not self.code.lstrip().startswith("package") else text
        imports = tuple((names.get(name, name), path) for name, path in self.imports)
        renamed = Snippet.of(text)
        return Snippet(renamed.code, renamed.is_body, renamed.outline, imports)

    @cached_property
    def _identifiers(self) -> list[tuple[Node, Ancestors]]:
        return [
            (node, ancestors)
            for node, ancestors in walk_with_ancestors(self.outline.root)
            if node.type in IDENTIFIERS and not is_key(ancestors) and not in_clause(ancestors)
        ]


def fingerprint(outline: Outline, body: Node) -> str:
    """Return the same value for bodies that differ only in comments, whitespace or numbers after names."""
    words = []
    stack = [body]
    while stack:
        node = stack.pop()
        # The grammar has a node for each semicolon that Go inserts at a line's end.
        if node.type == "comment" or (not node.is_named and node.type in ("\n", ";", "")):
            continue
        if node.child_count and node.type not in ("interpreted_string_literal", "rune_literal"):
            stack.extend(reversed(node.children))
        else:
            text = outline.text(node).replace("\r\n", "\n")
            words.append(re.sub(r"_\d+$", "", text) if node.type in IDENTIFIERS else text)
    return "\0".join(words)


def _indent_with_tabs(body: str) -> str:
    outline = _parsed(_HEADER + body + _FOOTER)
    offset = _HEADER.count("\n")
    return indent_with_tabs(body, {row - offset for row in rows_in_strings(outline)} if outline else set())


def _parsed(text: str) -> Outline | None:
    """Return the outline of the text, None where it has syntax errors.

    Raises InvalidTestCode.
    """
    document = Document(text.encode())
    try:
        tree = GRAMMAR.parse(document)
    except TargetRejected:
        raise InvalidTestCode("testCode is too complex to be a test") from None
    if tree.root_node.descendant_count > _MAX_NODES:
        raise InvalidTestCode("testCode is too complex to be a test")
    return None if errors(tree) else read_outline(document, tree)


def _named(outline: Outline) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.path) for each in outline.imports)


def _without_imports(text: str) -> tuple[str, str]:
    """Split a body from the imports that some clients write before it."""
    end = 0
    while found := _IMPORT.match(text, _past_comments(text, end)):
        end = found.end()
    head = re.sub(r"^\s*package\s+\w+\s*;?\n", "", text[:end])
    return head, text[end:].strip("\n")


def _past_comments(text: str, start: int) -> int:
    while found := _COMMENT.match(text, start):
        start = found.end()
    return start


def _statements(outline: Outline) -> list[Node]:
    body = outline.functions[0].body
    inner = [
        child for block in (body.named_children if body else []) for child in (block, *block.named_children)
    ]
    return [node for node in inner if node.type not in ("comment", "statement_list")]
