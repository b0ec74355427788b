"""A red test's Elixir code, classified: a test's body, complete tests and describes, or a module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.elixir.outline import (
    GRAMMAR,
    STRINGS,
    TESTS,
    arguments_of,
    block_of,
    call_name,
    patterns_of,
    text_of,
)
from phases.test_integration.languages.shared.code import (
    dedented,
    parsed,
    rows_within,
    tidy,
    to_file_style,
    walk_with_parents,
)
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import walk

UNIT = "  "
BODY, COMPLETE, MODULE = "body", "tests", "module"
# What makes each kind of code a file of its own. `offset` is the length of the first part.
_WRAPS = {
    BODY: ('defmodule A do test "x" do\n', "\nend end"),
    COMPLETE: ("defmodule A do\n", "\nend"),
    MODULE: ("\n", "\n"),
}
_LEXICAL = {"alias", "import", "require"}


@dataclass(frozen=True)
class ElixirSnippet:
    """`kind` says what `code` is; `lexical` are imports and aliases that each complete test needs."""

    code: str
    kind: str
    lexical: tuple[str, ...] = ()
    module_name: str = ""

    @classmethod
    def of(cls, code: str) -> ElixirSnippet:
        """Raises InvalidTestCode for code that is not valid Elixir, or that would do more than add tests."""
        text = tidy(code)
        root = parsed(GRAMMAR, text)
        statements = [node for node in root.named_children if node.type != "comment"] if root else []
        if root is None or not statements:
            raise InvalidTestCode(
                "testCode is not valid Elixir" if root is None else "testCode has no statement"
            )
        names = {call_name(node) for node in statements}
        if "defmodule" in names:
            return _of_module(text, statements)
        if not names & {*TESTS, "describe"}:
            return _checked(cls(_normalize(text, BODY), BODY))
        return _of_tests(text, root, statements)

    @cached_property
    def protected(self) -> set[int]:
        return string_rows(self.code, self.kind)

    @cached_property
    def root(self) -> Node:
        return parse_as(self.code, self.kind)

    @property
    def offset(self) -> int:
        return len(_WRAPS[self.kind][0])

    @property
    def statements(self) -> list[Node]:
        """Return the statements of the module around the code."""
        root = self.root
        block = block_of(root.named_children[0]) if root.named_children else None
        return [node for node in block.named_children if node.type != "comment"] if block else []


def parse_as(code: str, kind: str) -> Node:
    before, after = _WRAPS[kind]
    return GRAMMAR.parse(Document((before + code + after).encode())).root_node


def string_rows(code: str, kind: str) -> set[int]:
    return rows_within(parse_as(code, kind), STRINGS, above=1)


def calls_within(root: Node, names: set[str]) -> list[Node]:
    """Return the calls of these functions that are directly in modules and describes."""
    found: list[Node] = []
    stack = list(reversed(root.named_children))
    while stack:
        node = stack.pop()
        name = call_name(node)
        if name in names:
            found.append(node)
        if name in ("defmodule", "describe") and (block := block_of(node)):
            stack.extend(reversed(block.named_children))
    return found


def free_names(root: Node) -> list[str]:
    """Return names that are read as variables, or called without arguments, and bound nowhere in the code."""
    bound: set[str] = set()
    read: dict[str, None] = {}
    for node, parent, _ in walk_with_parents(root):
        if node.type == "binary_operator":
            operator, left = node.child_by_field_name("operator"), node.child_by_field_name("left")
            if operator is not None and left is not None and operator.type in ("=", "<-", "->"):
                bound.update(text_of(each) for each in walk(left) if each.type == "identifier")
        elif node.type == "stab_clause" and (left := node.child_by_field_name("left")):
            bound.update(text_of(each) for each in walk(left) if each.type == "identifier")
        elif call_name(node) in TESTS:
            bound.update(patterns_of(node))
        elif node.type == "identifier" and _is_read(node, parent):
            read.setdefault(text_of(node))
    return [name for name in read if name not in bound and not name.startswith(("_", "__"))]


def _is_read(node: Node, parent: Node | None) -> bool:
    if parent is None or parent.child_by_field_name("target") == node:
        return False
    if parent.type == "dot" and parent.child_by_field_name("right") == node:
        return False
    is_attribute = parent.type == "unary_operator" and text_of(parent).startswith("@")
    return not is_attribute and parent.type != "sigil"


def _of_module(text: str, statements: list[Node]) -> ElixirSnippet:
    modules = [node for node in statements if call_name(node) == "defmodule"]
    if len(modules) < len(statements):
        raise InvalidTestCode("testCode has statements beside its module")
    with_tests = [node for node in modules if calls_within_block(node)]
    if not with_tests:
        raise InvalidTestCode("testCode's module has no test")
    name = text_of(arguments_of(with_tests[0])[0])
    return _checked(ElixirSnippet(_normalize(text, MODULE), MODULE, module_name=name))


def calls_within_block(module: Node) -> list[Node]:
    block = block_of(module)
    return calls_within(block, TESTS) if block else []


def _of_tests(text: str, root: Node, statements: list[Node]) -> ElixirSnippet:
    lexical = [node for node in statements if call_name(node) in _LEXICAL]
    for node in statements:
        is_known = call_name(node) in (_LEXICAL | TESTS | {"describe", "def", "defp"})
        if not is_known and not text_of(node).startswith(("@tag", "@doc", "@spec")):
            first = text_of(node).partition("\n")[0][:60]
            raise InvalidTestCode(f"testCode has what would act on the file's own tests: {first}")
    content = text.encode()
    # Backwards, so that the offsets before stay right.
    for node in reversed(lexical):
        content = content[: node.start_byte] + content[node.end_byte :].lstrip(b" \t").removeprefix(b"\n")
    kept = _normalize(content.decode(), COMPLETE)
    return _checked(ElixirSnippet(kept, COMPLETE, tuple(text_of(node) for node in lexical)))


def _checked(snippet: ElixirSnippet) -> ElixirSnippet:
    before, after = _WRAPS[snippet.kind]
    root = parsed(GRAMMAR, before + snippet.code + after)
    outer = [call_name(node) for node in root.named_children if node.type != "comment"] if root else []
    # The code must not close what wraps it and begin something beside it.
    is_one = snippet.kind == MODULE or len(outer) == 1
    inner = [call_name(node) for node in snippet.statements] if is_one else []
    if not outer or set(outer) != {"defmodule"} or not is_one or (snippet.kind == BODY and inner != ["test"]):
        raise InvalidTestCode(f"testCode is not valid Elixir: it is no {snippet.kind} of its own")
    return snippet


def _normalize(code: str, kind: str) -> str:
    normalized = tidy(code)
    rows = string_rows(normalized, kind)
    return to_file_style(dedented(normalized, rows), rows, "", UNIT, "\n")
