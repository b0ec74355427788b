"""A test's code in Go as it came: a function's body, or whole functions with what they need."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.document import Document
from phases.test_integration.errors import InvalidTestCode, TargetRefused
from phases.test_integration.golang.layout import (
    GRAMMAR,
    IDENTIFIERS,
    Layout,
    default_name,
    read_layout,
)
from phases.test_integration.golang.margins import rows_in_strings, tabbed
from phases.test_integration.golang.names import (
    PREDECLARED,
    Surroundings,
    in_clause,
    is_key,
    is_read,
    is_top_level,
    with_surroundings,
)
from phases.test_integration.syntax import errors, walk

_FUNCTIONS = frozenset({"function_declaration", "method_declaration"})
_DECLARATIONS = _FUNCTIONS | frozenset(
    {"import_declaration", "package_clause"}
    | {"var_declaration", "const_declaration", "type_declaration", "comment"}
)
_HEADER, _FOOTER = "package p\n\nfunc _() {\n", "\n}\n"
_PACKAGE = re.compile(r"(?:\s|//[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*package\s")
_IMPORT = re.compile(r"\s*(?:package\s+\w+\s*;?\n|import\s*(?:\([^)]*\)|(?:[\w.]+\s*)?[\"`][^\"`\n]*[\"`]))")
_COMMENT = re.compile(r"\s*//[^\n]*\n")
_MOST_NODES = 20_000  # of the tree; a test that a person would read has a twentieth of them


@dataclass(frozen=True)
class Snippet:
    """Code with `\\n` endings, indented by tabs. `layout` is that of `source`, a file that holds the code."""

    code: str
    is_body: bool
    layout: Layout
    imports: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, code: str) -> Snippet:
        """Raises InvalidTestCode for what Go's grammar does not know, and for what has no statement."""
        text = re.sub(r"\r\n?", "\n", code).strip("\n")
        if not text.strip():
            raise InvalidTestCode("testCode has no statement")
        whole = _parsed(text if _PACKAGE.match(text) else f"package p\n{text}")
        kinds = [node.type for node in whole.root.named_children] if whole else []
        if whole and _DECLARATIONS.issuperset(kinds) and _FUNCTIONS.intersection(kinds):
            return cls(text, False, whole, _named(whole))
        head, body = _without_imports(text)
        body = _tabbed(body)
        inner = _parsed(_HEADER + body + _FOOTER)
        kinds = [node.type for node in inner.root.named_children] if inner else []
        if inner is None or kinds != ["package_clause", "function_declaration"]:
            raise InvalidTestCode("testCode is not valid Go: neither a function's body nor whole functions")
        if not _statements(inner):
            raise InvalidTestCode("testCode has no statement")
        imports = _parsed(f"package p\n{head}")
        return cls(body, True, inner, _named(imports) if imports else ())

    @cached_property
    def used(self) -> Counter[str]:
        """Names that are read: neither fields, nor keys, nor what is only declared or assigned."""
        return Counter(self.layout.text(node) for node, around in self._identifiers if is_read(node, around))

    @cached_property
    def declared(self) -> set[str]:
        """Names that the code itself binds, wherever in it."""
        return {self.layout.text(node) for node, around in self._identifiers if not is_read(node, around)}

    @cached_property
    def packages(self) -> dict[str, set[str]]:
        """Names that something exported is read from, with what: of packages, if nothing else binds them."""
        found: dict[str, set[str]] = {}
        for node in walk(self.layout.root):
            if node.type == "selector_expression":
                operand, member = node.child_by_field_name("operand"), node.child_by_field_name("field")
            elif node.type == "qualified_type":
                operand, member = node.child_by_field_name("package"), node.child_by_field_name("name")
            else:
                continue
            if operand is not None and member is not None and operand.type in IDENTIFIERS:
                name = self.layout.text(operand)
                if name not in self.declared and self.layout.text(member)[:1].isupper():
                    found.setdefault(name, set()).add(self.layout.text(member))
        return found

    @cached_property
    def free(self) -> list[str]:
        """Names that are read and that the code does not bind, packages aside."""
        imported = {name for name, _ in self.imports}
        return [
            name
            for name in self.used
            if name not in self.declared | PREDECLARED | imported and name not in self.packages
        ]

    def check_locals(self) -> None:
        """Go compiles no variable that is never read, and then none of the package's tests run.

        Raises InvalidTestCode.
        """
        for node, around in with_surroundings(self.layout.root):
            names: list[Node] = []
            if node.type == "short_var_declaration" and (left := node.child_by_field_name("left")):
                names = left.named_children
            elif node.type == "var_spec" and not is_top_level(around):
                names = node.children_by_field_name("name")
            for name in map(self.layout.text, names):
                if name != "_" and not self.used[name]:
                    raise InvalidTestCode(f"testCode declares {name} and never reads it, which Go refuses")

    def renamed(self, names: Mapping[str, str]) -> Snippet:
        """The code with these variables, functions, types and packages renamed; fields and methods stay."""
        if not names:
            return self
        source = self.layout.document.content
        pieces: list[bytes] = []
        taken = 0
        for node, around in with_surroundings(self.layout.root):
            if node.type == "import_spec" and node.child_by_field_name("name") is None:
                name = default_name(self.layout.text(node).strip('"`'))
                if name in names:
                    pieces += [source[taken : node.start_byte], f"{names[name]} ".encode()]
                    taken = node.start_byte
            elif node.type in IDENTIFIERS and not is_key(around):
                name = self.layout.text(node)
                if name in names:
                    pieces += [source[taken : node.start_byte], names[name].encode()]
                    taken = node.end_byte
        text = b"".join((*pieces, source[taken:])).decode()
        if self.is_body:
            text = text.removeprefix(_HEADER).removesuffix(_FOOTER)
        else:
            text = text.removeprefix("package p\n") if not self.code.lstrip().startswith("package") else text
        imports = tuple((names.get(name, name), path) for name, path in self.imports)
        renamed = Snippet.of(text)
        return Snippet(renamed.code, renamed.is_body, renamed.layout, imports)

    @cached_property
    def _identifiers(self) -> list[tuple[Node, Surroundings]]:
        return [
            (node, around)
            for node, around in with_surroundings(self.layout.root)
            if node.type in IDENTIFIERS and not is_key(around) and not in_clause(around)
        ]


def fingerprint(layout: Layout, body: Node) -> str:
    """Equal for bodies that do the same: comments, layout and numbers behind names aside."""
    words = []
    stack = [body]
    while stack:
        node = stack.pop()
        if node.type == "comment" or (not node.is_named and node.type in ("\n", ";", "")):
            continue
        if node.child_count and node.type not in ("interpreted_string_literal", "rune_literal"):
            stack.extend(reversed(node.children))
        else:
            text = layout.text(node).replace("\r\n", "\n")
            words.append(re.sub(r"_\d+$", "", text) if node.type in IDENTIFIERS else text)
    return "\0".join(words)


def _tabbed(body: str) -> str:
    layout = _parsed(_HEADER + body + _FOOTER)
    offset = _HEADER.count("\n")
    return tabbed(body, {row - offset for row in rows_in_strings(layout)} if layout else set())


def _parsed(text: str) -> Layout | None:
    """The outline of the text, None where it has errors.

    Raises InvalidTestCode.
    """
    document = Document(text.encode())
    try:
        tree = GRAMMAR.parse(document)
    except TargetRefused:
        raise InvalidTestCode("testCode is too complex to be a test") from None
    if tree.root_node.descendant_count > _MOST_NODES:
        raise InvalidTestCode("testCode is too complex to be a test")
    return None if errors(tree) else read_layout(document, tree)


def _named(layout: Layout) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.path) for each in layout.imports)


def _without_imports(text: str) -> tuple[str, str]:
    """A body's imports, which some write before it, and the rest."""
    end = 0
    while found := _IMPORT.match(text, _past_comments(text, end)):
        end = found.end()
    head = re.sub(r"^\s*package\s+\w+\s*;?\n", "", text[:end])
    return head, text[end:].strip("\n")


def _past_comments(text: str, start: int) -> int:
    while found := _COMMENT.match(text, start):
        start = found.end()
    return start


def _statements(layout: Layout) -> list[Node]:
    body = layout.functions[0].body
    inner = [
        child for block in (body.named_children if body else []) for child in (block, *block.named_children)
    ]
    return [node for node in inner if node.type not in ("comment", "statement_list")]
