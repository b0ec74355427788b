"""The outline of an ExUnit file: its modules, `describe` blocks and tests, and which of them run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import tree_sitter_elixir
from tree_sitter import Node, Tree

from phases.test_integration.languages.shared.code import comments_above
from phases.test_integration.languages.shared.outline import Group, Member, Outline
from phases.test_integration.plan.protocols import MAX_GROUP_PATH_LENGTH, InsertionWarning
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar, walk

GRAMMAR = Grammar(tree_sitter_elixir.language())
STRINGS = frozenset({"string", "charlist", "sigil", "quoted_atom"})
TESTS = {"test", "property"}
_TITLED = {*TESTS, "describe"}
_CARRIES_ATTRIBUTES = {*_TITLED, "def", "defp"}
_CASE = re.compile(r"(?:\w+\.)*\w*Case$")
_SKIP = re.compile(r"@(?:moduletag|describetag)\s*+\(?+\s*+(?::skip\b|\[?+\s*+skip:\s*+(?!false|nil))")
_HARMLESS = re.compile(r"(?::|\[?\s*)(?:capture_log|capture_io|timeout|tmp_dir|async|line|module)\b")
_MAKES_TESTS = re.compile(r"^[ \t]*(?:test|property)[ \t(][^\n]*\bdo\b", re.M)
_PAIR = re.compile(r"\b(\w+):\s*([a-z_]\w*)\b(?![.(\[])")
_FILTER = re.compile(r"\bExUnit\.(?:configure|start)\b[^\n]*\b(?:exclude|only|include)\b")
Reader = Callable[[Node], str]  # the outline reads a node's text faster than `node.text`


def text_of(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Module:
    """A module; `uses` are its `use` statements, `keys` the context keys its tests match, by variable."""

    uses: tuple[str, ...]
    keys: dict[str, str]
    has_imports: bool
    functions: frozenset[str]
    describes: tuple[str, ...]


@dataclass(slots=True)
class ElixirOutline(Outline):
    """The outline; `modules`, `parents` and `contexts` are keyed by a group's path.

    The parent of a `describe` is its module. `loops` maps a group without literal tests to the loop that
    generates its tests.
    """

    modules: dict[str, Module] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    contexts: dict[str, dict[str, str]] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    loops: dict[str, Member] = field(default_factory=dict)


def read_outline(document: Document, tree: Tree) -> ElixirOutline:
    """Read the top level, modules and describes; never functions, loops or conditions."""
    outline = ElixirOutline(document, tree.root_node)
    stack = [(node, "") for node in tree.root_node.named_children[::-1]]
    while stack:
        node, outer_path = stack.pop()
        # A syntax error elsewhere may have put intact modules below an error node.
        if node.type == "ERROR":
            stack.extend((child, outer_path) for child in reversed(node.named_children))
        elif document.lines.startswith(b"ExUnit.", node.start_byte) and _FILTER.match(text_of(node)):
            message = "the file configures which tests run"
            outline.warnings.append(
                InsertionWarning("module_may_be_skipped", message, node.start_point.row + 1)
            )
        elif call_name(node) == "defmodule":
            stack.extend(reversed(_read_module(outline, node, outer_path)))
    return outline


def call_name(node: Node, text: Reader = text_of) -> str:
    """Return `test` for `test "x" do ... end`, empty where the node is not a plain call."""
    target = node.child_by_field_name("target") if node.type == "call" else None
    return text(target) if target is not None and target.type == "identifier" else ""


def arguments_of(call: Node) -> list[Node]:
    for child in call.named_children:
        if child.type == "arguments":
            return child.named_children
    return []


def block_of(call: Node) -> Node | None:
    return next((child for child in call.named_children if child.type == "do_block"), None)


def title_of(call: Node, text: Reader = text_of) -> str:
    """Return the name of a test or a describe as it is written."""
    arguments = arguments_of(call)
    return text(arguments[0])[1:-1] if arguments and arguments[0].type == "string" else ""


def member_of(siblings: Sequence[Node], index: int, text: Reader = text_of) -> Member:
    """Return a statement of a module together with the comments and attributes above it."""
    node = siblings[index]
    name, start = call_name(node, text), node.start_byte
    if name in _CARRIES_ATTRIBUTES:
        while index > 0:
            above = comments_above(siblings, index) or _attribute_above(siblings, index)
            if not above:
                break
            start, index = above[0].start_byte, index - len(above)
    title = title_of(node, text) if name in _TITLED else ""
    is_test = name in TESTS and bool(arguments_of(node))
    return Member(
        name=f"describe {title}" if name == "describe" else title,
        start=start,
        end=node.end_byte,
        node=node,
        body=(block_of(node) or _inline(node)) if is_test else None,
        is_test=is_test,
    )


def patterns_of(test: Node) -> dict[str, str]:
    """Return the context pattern of a test: variable to key, an empty key for the whole context."""
    arguments = arguments_of(test)
    if len(arguments) < 2:
        return {}
    context = text_of(arguments[1])
    if arguments[1].type == "identifier":
        return {context: ""}
    return {variable: key for key, variable in _PAIR.findall(context)} if context[:1] == "%" else {}


def _read_module(outline: ElixirOutline, node: Node, outer_path: str) -> list[tuple[Node, str]]:
    """Add the module and its describes; return its nested modules."""
    block, arguments = block_of(node), arguments_of(node)
    if block is None or not arguments:
        return []
    name = text_of(arguments[0])
    path = f"{outer_path}.{name}" if outer_path else name
    if len(path) > MAX_GROUP_PATH_LENGTH:
        return []
    outline.declared.add(path)
    statements = _statements(block, outline.text)
    uses = tuple(text_of(each) for called, each in statements if called == "use")
    attributes = [each for _, each in statements if each.type == "unary_operator"]
    for called, each in statements:
        if called == "alias":
            outline.origins.update(_aliases(each))
    is_case = any(
        _CASE.match(use.removeprefix("use").strip(" (").partition(",")[0].strip(" )")) for use in uses
    )
    accepts_tests = is_case and not any(_SKIP.match(text_of(each)) for each in attributes)
    describes = [each for called, each in statements if called == "describe" and block_of(each)]
    outline.modules[path] = Module(
        uses=uses,
        keys=_keys(statements, uses),
        # Any other `use` may import functions.
        has_imports=len(uses) > 1
        or any("ExUnit.Case" not in use for use in uses)
        or any(called == "import" for called, _ in statements),
        functions=frozenset(_functions(statements)),
        describes=tuple(title_of(each) for each in describes),
    )
    _add_group(outline, node, block, (name, path), accepts_tests=accepts_tests)
    if accepts_tests:
        outline.warnings += _tag_warnings(attributes)
    for describe in describes:
        inner = block_of(describe)
        if inner is not None:
            held = _statements(inner, outline.text)
            runs = accepts_tests and not any(
                _SKIP.match(text_of(each)) for called, each in held if not called
            )
            title = (title_of(describe), f"{path}: {title_of(describe)}")
            outline.parents[title[1]] = path
            _add_group(outline, describe, inner, title, accepts_tests=runs)
            outline.contexts[title[1]] = _keys(held, ())
    return [(each, path) for called, each in statements if called == "defmodule"]


def _add_group(
    outline: ElixirOutline,
    node: Node,
    block: Node,
    names: tuple[str, str],
    *,
    accepts_tests: bool,
) -> None:
    """Add a module or describe with its members; `names` are its name and its path."""
    children = block.children
    members = tuple(
        member_of(children, index, outline.text)
        for index, child in enumerate(children)
        if child.is_named and child.type != "comment"
    )
    if accepts_tests and not any(member.is_test for member in members):
        for member in members:
            if _is_loop(member.node, outline.text):
                outline.loops[names[1]] = member
    closer = children[-1]
    outline.groups.append(
        Group(
            name=names[0],
            path=names[1],
            node=node,
            # After `do`.
            opens=block.start_byte + 2,
            closes=closer.start_byte if closer.type == "end" else block.end_byte,
            members=members,
            names=frozenset(member.name for member in members if member.name),
            accepts_tests=accepts_tests,
        )
    )


def _statements(block: Node, text: Reader) -> list[tuple[str, Node]]:
    """Return the statements of a block, each with the name of the function that it calls."""
    return [(call_name(child, text), child) for child in block.named_children if child.type != "comment"]


def _is_loop(node: Node, text: Reader) -> bool:
    """Return whether it generates tests: a `for`, or `Enum.each`."""
    is_for = call_name(node, text) == "for"
    is_each = node.type == "call" and text(node.children[0]) == "Enum.each"
    return (is_for or is_each) and bool(_MAKES_TESTS.search(text(node)))


def _attribute_above(siblings: Sequence[Node], index: int) -> list[Node]:
    above = siblings[index - 1]
    belongs = above.type == "unary_operator" and re.match(r"@(?:tag|doc|spec)\b", text_of(above))
    return [above] if belongs else []


def _inline(node: Node) -> Node | None:
    """Return the expression after `do:`."""
    for argument in arguments_of(node)[-1:]:
        for pair in argument.named_children if argument.type == "keywords" else ():
            key = pair.child_by_field_name("key")
            if key is not None and text_of(key).strip() == "do:":
                return pair.child_by_field_name("value")
    return None


def _keys(statements: list[tuple[str, Node]], uses: tuple[str, ...]) -> dict[str, str]:
    # Phoenix's ConnCase gives every test a `conn`.
    keys = {"conn": "conn"} if any("ConnCase" in use for use in uses) else {}
    for name, each in statements:
        if name in TESTS:
            keys.update(patterns_of(each))
        elif name in ("setup", "setup_all") and (block := block_of(each)) and block.named_children:
            last = block.named_children[-1]
            for node in walk(last) if last.type in ("tuple", "map", "list", "keywords") else ():
                if node.type == "pair" and (key := node.child_by_field_name("key")):
                    word = text_of(key).strip().rstrip(":")
                    keys[word] = word
    return keys


def _functions(statements: list[tuple[str, Node]]) -> Iterator[str]:
    for called, each in statements:
        if called in ("def", "defp", "defmacro", "defmacrop"):
            for argument in arguments_of(each)[:1]:
                yield from re.findall(r"^\w+[?!]?", text_of(argument))


def _aliases(statement: Node) -> dict[str, str]:
    text = " ".join(text_of(statement).removeprefix("alias").split())
    prefix, brace, inner = text.partition(".{")
    if brace:
        names = [name.strip() for name in inner.partition("}")[0].split(",")]
        return {name.rpartition(".")[2]: f"{prefix.strip()}.{name}" for name in names if name}
    origin, _, options = text.partition(",")
    renamed = re.search(r"as:\s*(\w+)", options)
    return {renamed[1] if renamed else origin.strip().rpartition(".")[2]: origin.strip()}


def _tag_warnings(attributes: list[Node]) -> Iterator[InsertionWarning]:
    for each in attributes:
        text = text_of(each)
        if text.startswith("@moduletag") and not _HARMLESS.match(text.removeprefix("@moduletag").strip(" (")):
            message = f"the module's tests are tagged and may be left out: {text[:60]}"
            yield InsertionWarning("module_may_be_skipped", message, each.start_point.row + 1)
