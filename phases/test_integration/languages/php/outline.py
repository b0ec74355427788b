"""The outline of a PHP file: its classes and imports, and which classes PHPUnit runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_php
from tree_sitter import Node, Tree

from phases.test_integration.languages.php.methods import attribute_of, method_member, text_of
from phases.test_integration.languages.shared.outline import Group, Member, Outline
from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar

GRAMMAR = Grammar(tree_sitter_php.language_php())
STRINGS = frozenset({"string", "encapsed_string", "heredoc", "nowdoc", "shell_command_expression", "text"})

_TEST_CLASS = re.compile(r"(?:Tests?|TestCase|TestBase|_TestCase)$")
_PEST = re.compile(r"(?:it|test|describe|uses|pest|beforeEach|dataset|arch)$")
_SKIPS = re.compile(r"\bmarkTest(?:Skipped|Incomplete)\s*\(")
_REQUIRES = re.compile(r"@requires\b|\bRequires[A-Z]\w*")


@dataclass(frozen=True, slots=True)
class Use:
    """A top-level `use`; `bindings` maps each name to its qualified name and kind of import."""

    node: Node
    bindings: dict[str, tuple[str, str]]


@dataclass(slots=True)
class PhpOutline(Outline):
    """The outline; `bases` maps the file's classes to the names of their base classes."""

    uses: list[Use] = field(default_factory=list)
    namespace: str = ""
    namespace_node: Node | None = None
    has_blocks: bool = False
    has_tag: bool = False
    is_pest: bool = False
    stops_early: bool = False
    declared: set[str] = field(default_factory=set)
    bases: dict[str, str] = field(default_factory=dict)

    @property
    def is_truncated(self) -> bool:
        """Return whether the file ends inside an incomplete statement."""
        last = self.root.children[-1] if self.root.children else None
        return last is not None and (last.is_error or last.is_missing)

    @property
    def bound(self) -> dict[str, tuple[str, str]]:
        return {name: origin for use in self.uses for name, origin in use.bindings.items()}


def read_outline(document: Document, tree: Tree) -> PhpOutline:
    """Read the top level, namespace blocks and class bodies; never functions."""
    outline = PhpOutline(document, tree.root_node)
    classes: list[tuple[Node, str]] = []
    above: Node | None = None
    for node in _top_level(outline):
        if node.type == "namespace_use_declaration" and _is_import(outline, node):
            outline.uses.append(Use(node, bindings_of(node)))
        elif node.type == "class_declaration":
            classes.append((node, text_of(above) if above and above.type == "comment" else ""))
            outline.bases[_name(node)] = _base(node)
            outline.declared.add(_name(node))
        elif node.type in ("trait_declaration", "interface_declaration", "enum_declaration"):
            outline.declared.add(_name(node))
        elif node.type == "expression_statement" and _is_pest(node):
            outline.is_pest = True
        above = node
    for name, (origin, _) in outline.bound.items():
        outline.origins[name] = origin.replace("\\", ".")
    extended = {base for name, base in outline.bases.items() if base != name}
    known: dict[str, bool] = {}
    for node, comment in classes:
        # The tests of a class that others extend run once more in each of those.
        accepts_tests = _name(node) not in extended and _is_collected(outline, node, known)
        _read_class(outline, node, comment, accepts_tests=accepts_tests)
    return outline


def _is_import(outline: PhpOutline, node: Node) -> bool:
    """Return whether it is an import; after a parse error, a class's trait uses look like one, indented."""
    return not outline.uses or node.start_point.column <= outline.uses[0].node.start_point.column


def bindings_of(use: Node) -> dict[str, tuple[str, str]]:
    """Return what a `use` binds: `{"Q": ("X\\\\Z", "")}`; the kind is `function`, `const` or empty."""
    text = text_of(use).removeprefix("use").rstrip(";").strip()
    text = re.sub(r"/\*.*?(?:\*/|\Z)|(?://|#)[^\n]*", " ", text, flags=re.S)
    prefix, brace, inner = text.partition("{")
    names = inner.rstrip("} \t\n") if brace else text
    common = _kind_and_name(prefix) if brace else ("", "")
    found = {}
    for each in names.split(","):
        kind, name = _kind_and_name(each)
        origin, _, alias = name.partition(" as ")
        origin = (common[1] + origin).strip().lstrip("\\")
        if origin:
            found[(alias or origin.rpartition("\\")[2]).strip()] = (origin, kind or common[0])
    return found


def _top_level(outline: PhpOutline) -> Iterator[Node]:
    """Yield top-level nodes, also inside parse errors and namespace blocks, and record file properties."""
    stack = outline.root.named_children[::-1]
    while stack:
        node = stack.pop()
        if node.type == "ERROR":
            stack.extend(reversed(node.named_children))
        elif node.type == "namespace_definition":
            body = node.child_by_field_name("body")
            name = node.child_by_field_name("name")
            outline.namespace, outline.namespace_node = text_of(name) if name else "", node
            yield node
            if body is not None:
                outline.has_blocks = True
                stack.extend(reversed(body.named_children))
        elif node.type == "php_tag":
            outline.has_tag = True
        elif node.type in ("exit_statement", "halt_compiler_statement") or _is_halt(outline, node):
            outline.stops_early = True
        else:
            yield node


def _is_halt(outline: PhpOutline, node: Node) -> bool:
    return outline.document.lines[node.start_byte : node.start_byte + 15].lower() == b"__halt_compiler"


def _read_class(outline: PhpOutline, node: Node, comment: str, *, accepts_tests: bool) -> None:
    """Add a class with its methods and used names to the outline."""
    body = node.child_by_field_name("body")
    if body is None or not body.children:
        return
    members: list[Member] = []
    names: set[str] = set()
    children = body.children
    for index, child in enumerate(children):
        if child.type == "method_declaration":
            members.append(method_member(children, index, outline.text))
            names.add(members[-1].name)
        else:
            names.update(names_declared(child))
    name = _name(node)
    closer = children[-1]
    outline.groups.append(
        Group(
            name=name,
            path=name,
            node=node,
            opens=body.start_byte + 1,
            closes=closer.start_byte if closer.type == "}" else body.end_byte,
            members=tuple(members),
            names=frozenset(names),
            accepts_tests=accepts_tests,
        )
    )
    if accepts_tests:
        outline.warnings += _skips(node, comment, members)


def _is_collected(outline: PhpOutline, node: Node, known: dict[str, bool]) -> bool:
    """Return whether the class is concrete and a test case, by its own name or its bases' names."""
    if any(child.type == "abstract_modifier" for child in node.children):
        return False
    base = _base(node)
    return _is_test_case(outline, base, known) or bool(base and _TEST_CLASS.search(_name(node)))


def _is_test_case(outline: PhpOutline, name: str, known: dict[str, bool]) -> bool:
    """Return whether the class or a base is named like a test case; `known` caches results."""
    passed = []
    while name and name not in known:
        # Entered before its bases are read, so that a cycle of bases ends.
        known[name] = bool(_TEST_CLASS.search(name))
        passed.append(name)
        if known[name]:
            break
        name = outline.bases.get(name, "")
    answer = known.get(name, False)
    known.update(dict.fromkeys(passed, answer))
    return answer


def _skips(node: Node, comment: str, members: list[Member]) -> Iterator[InsertionWarning]:
    """Warn about a class whose set-up or requirements may skip its tests."""
    for member in members:
        if member.name.lower() in ("setup", "setupbeforeclass") and member.body is not None:
            for statement in member.body.named_children:
                if not _SKIPS.search(text_of(statement)):
                    continue
                line = statement.start_point.row + 1
                if statement.type == "expression_statement":
                    yield InsertionWarning(
                        "module_skipped", "the class skips all of its tests, new ones too", line
                    )
                else:
                    message = "the class skips its tests under a condition"
                    yield InsertionWarning("module_may_be_skipped", message, line)
    if _REQUIRES.search(comment + attribute_of(node)):
        line = node.start_point.row + 1
        yield InsertionWarning(
            "module_may_be_skipped", "the class runs only where its requirements are met", line
        )


def _is_pest(statement: Node) -> bool:
    call: Node | None = statement.named_children[0] if statement.named_children else None
    while call is not None and call.type == "member_call_expression":
        call = call.child_by_field_name("object")
    if call is None or call.type != "function_call_expression":
        return False
    function = call.child_by_field_name("function")
    return function is not None and bool(_PEST.match(text_of(function)))


def names_declared(member: Node) -> Iterator[str]:
    """Yield the names of a property or constant declaration; none for other members."""
    if member.type not in ("property_declaration", "const_declaration"):
        return
    for element in member.named_children:
        if element.type in ("property_element", "const_element") and element.named_children:
            yield text_of(element.named_children[0]).lstrip("$")


def _kind_and_name(text: str) -> tuple[str, str]:
    found = re.match(r"\s*(?:(function|const)\s+)?(.*)", " ".join(text.split()))
    return (found[1] or "", found[2]) if found else ("", text)


def _base(node: Node) -> str:
    for child in node.children:
        if child.type == "base_clause" and child.named_children:
            return text_of(child.named_children[0]).rpartition("\\")[2]
    return ""


def _name(node: Node) -> str:
    name = node.child_by_field_name("name")
    return text_of(name) if name else ""
