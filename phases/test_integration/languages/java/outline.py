"""The outline of a Java file: its classes and imports, and which classes JUnit 5 runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import tree_sitter_java
from tree_sitter import Node, Tree

from phases.test_integration.languages.shared.code import comments_above
from phases.test_integration.languages.shared.outline import Group, Member, Outline
from phases.test_integration.plan.protocols import MAX_GROUP_PATH_LENGTH, InsertionWarning
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar

MAX_COMPARISONS = 500  # in one statement
_LESS = re.compile(rb"(?<!<)<(?![<=])")
_STATEMENT_END = re.compile(rb"[;{}>]")


def is_ambiguous(source: bytes) -> bool:
    """Return whether a statement has so many `<`, each possibly type arguments, that parsing explodes."""
    if source.count(b"<") <= MAX_COMPARISONS:
        return False
    return any(
        part.count(b"<") > MAX_COMPARISONS and len(_LESS.findall(part)) > MAX_COMPARISONS
        for part in _STATEMENT_END.split(source)
    )


GRAMMAR = Grammar(tree_sitter_java.language(), is_ambiguous)
STRINGS = frozenset({"string_literal"})
JUPITER = "org.junit.jupiter.api"
_TESTS = {"Test", "ParameterizedTest", "RepeatedTest", "TestFactory", "TestTemplate"}
_TYPES = {
    "class_declaration",
    "record_declaration",
    "enum_declaration",
    "interface_declaration",
    "annotation_type_declaration",
}
_SETUPS = {"BeforeEach", "BeforeAll"}
_CONDITION = re.compile(r"(?:Disabled|Enabled)\w*|ParameterizedClass|Suite|Ignore|DisabledIf|EnabledIf")
_ASSUMES = re.compile(r"\bassum(?:e|ing)\w*\(|\bAssumptions\.\w+\(|\bassumeThat\(")


def text_of(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


@dataclass(slots=True)
class JavaOutline(Outline):
    """`stars` are packages or classes imported with `.*`; `static_names` maps names to static imports."""

    package: Node | None = None
    imports: list[Node] = field(default_factory=list)
    stars: set[str] = field(default_factory=set)
    static_stars: set[str] = field(default_factory=set)
    static_names: dict[str, set[str]] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    supers: dict[str, str] = field(default_factory=dict)
    other_framework: str = ""

    @property
    def package_name(self) -> str:
        return self.text(self.package.named_children[-1]) if self.package else ""

    def binds(self, name: str, origin: str) -> bool:
        """Return whether the name refers to that class in this file."""
        known = self.origins.get(name)
        return known == origin if known else origin.rpartition(".")[0] in self.stars


def read_outline(document: Document, tree: Tree) -> JavaOutline:
    """Read the top level and class bodies; never methods."""
    outline = JavaOutline(document, tree.root_node)
    stack: list[tuple[Node, str, bool]] = [(node, "", True) for node in tree.root_node.named_children[::-1]]
    types: list[tuple[Node, str, str, bool]] = []
    while stack:
        node, outer_path, runs = stack.pop()
        if node.type == "ERROR":
            stack.extend((child, outer_path, runs) for child in reversed(node.named_children))
        elif node.type == "import_declaration":
            read_import(outline, node)
        elif node.type == "package_declaration":
            outline.package = node
        elif node.type in _TYPES:
            name = name_of(node, outline.text)
            path = f"{outer_path}.{name}" if outer_path else name
            outline.declared.add(name)
            outline.supers[name] = _super(node)
            if len(path) > MAX_GROUP_PATH_LENGTH:
                continue
            runs = runs and _runs(node, is_nested=bool(outer_path))
            types.append((node, name, path, runs))
            body = node.child_by_field_name("body")
            if body is not None:
                inner = [child for child in body.named_children if child.type in _TYPES]
                stack.extend((child, path, runs) for child in reversed(inner))
    extended = {base for name, base in outline.supers.items() if base != name}
    for node, name, path, runs in types:
        if node.type == "class_declaration":
            # The tests of a class that others extend run once more in each of those.
            accepts_tests = runs and name not in extended and not is_abstract(node)
            _read_class(outline, node, name, path, accepts_tests=accepts_tests)
    outline.other_framework = _other_framework(outline)
    return outline


def read_import(outline: JavaOutline, node: Node) -> None:
    """Record an import in the outline by its kind."""
    origin, is_static, is_star = import_of(node)
    outline.imports.append(node)
    if is_star:
        (outline.static_stars if is_static else outline.stars).add(origin)
    elif is_static:
        outline.static_names.setdefault(origin.rpartition(".")[2], set()).add(origin)
    else:
        outline.origins[origin.rpartition(".")[2]] = origin


def import_of(node: Node) -> tuple[str, bool, bool]:
    """Return the imported name, whether it is static, and whether it ends with `.*`."""
    text = re.sub(r"/\*.*?(?:\*/|\Z)|\s+", " ", text_of(node), flags=re.S).removeprefix("import").strip(" ;")
    is_static = text.startswith("static ")
    origin = text.removeprefix("static ").replace(" ", "")
    return origin.removesuffix(".*"), is_static, origin.endswith(".*")


def method_member(siblings: Sequence[Node], index: int, text: Callable[[Node], str] = text_of) -> Member:
    """Return a method, a child of a class body, with its comment and annotations.

    `text` reads a node: an outline does it faster than `node.text`.
    """
    node = siblings[index]
    above = comments_above(siblings, index)
    name = node.child_by_field_name("name")
    return Member(
        name=text(name) if name else "",
        start=above[0].start_byte if above else node.start_byte,
        end=node.end_byte,
        node=node,
        body=node.child_by_field_name("body"),
        is_test=bool(annotations_of(node, text) & _TESTS),
    )


def annotations_of(node: Node, text: Callable[[Node], str] = text_of) -> set[str]:
    """Return the simple names of the annotations on a declaration."""
    return {text(name).rpartition(".")[2] for name in _annotation_names(node)}


def modifiers_of(node: Node) -> Node | None:
    first = node.child(0)
    return first if first is not None and first.type == "modifiers" else None


def has_modifier(node: Node, word: str) -> bool:
    modifiers = modifiers_of(node)
    return modifiers is not None and any(child.type == word for child in modifiers.children)


def is_abstract(node: Node) -> bool:
    return has_modifier(node, "abstract")


def name_of(node: Node, text: Callable[[Node], str] = text_of) -> str:
    name = node.child_by_field_name("name")
    return text(name) if name else ""


def _annotation_names(node: Node) -> Iterator[Node]:
    modifiers = modifiers_of(node)
    for child in modifiers.children if modifiers else ():
        if child.type in ("annotation", "marker_annotation") and (name := child.child_by_field_name("name")):
            yield name


def _runs(node: Node, *, is_nested: bool) -> bool:
    """Return whether JUnit runs the class unconditionally; abstract and extended classes aside."""
    annotations = annotations_of(node)
    if any(map(_CONDITION.fullmatch, annotations)):
        return False
    if node.type != "class_declaration" or has_modifier(node, "private"):
        return False
    return not is_nested or "Nested" in annotations


def _read_class(outline: JavaOutline, node: Node, name: str, path: str, *, accepts_tests: bool) -> None:
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
        elif child.type == "field_declaration":
            fields = (each for each in child.named_children if each.type == "variable_declarator")
            names.update(name_of(each, outline.text) for each in fields)
        elif child.type in _TYPES:
            names.add(name_of(child, outline.text))
    closer = children[-1]
    outline.groups.append(
        Group(
            name=name,
            path=path,
            node=node,
            opens=body.start_byte + 1,
            closes=closer.start_byte if closer.type == "}" else body.end_byte,
            members=tuple(members),
            names=frozenset(names),
            accepts_tests=accepts_tests,
        )
    )
    if accepts_tests:
        outline.warnings += _assumptions(members)


def _assumptions(members: list[Member]) -> Iterator[InsertionWarning]:
    for member in members:
        if member.is_test or member.body is None or not annotations_of(member.node) & _SETUPS:
            continue
        if _ASSUMES.search(text_of(member.body)):
            line = member.node.start_point.row + 1
            yield InsertionWarning(
                "module_may_be_skipped", "the class skips its tests under a condition", line
            )


def _super(node: Node) -> str:
    superclass = node.child_by_field_name("superclass")
    if superclass is None or not superclass.named_children:
        return ""
    return text_of(superclass.named_children[0]).partition("<")[0].rpartition(".")[2].strip()


def _other_framework(outline: JavaOutline) -> str:
    """Return the name of another framework whose `@Test` the file uses, empty for JUnit 5."""
    origin = outline.origins.get("Test", "")
    if origin == "org.junit.Test" or (not origin and "org.junit" in outline.stars):
        return "JUnit 4"
    return "TestNG" if origin.startswith("org.testng") or "org.testng.annotations" in outline.stars else ""
