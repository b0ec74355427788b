"""Binds the names of a Java test in a file, by imports or by fully qualified names."""

from __future__ import annotations

from dataclasses import dataclass, field

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.languages.java import names
from phases.test_integration.languages.java.outline import (
    JUPITER,
    JavaOutline,
    has_modifier,
    text_of,
)
from phases.test_integration.languages.java.snippet import BODY, JavaSnippet, types_of
from phases.test_integration.languages.shared.outline import Group
from phases.test_integration.plan.protocols import InsertionWarning

_ASSERTIONS = f"{JUPITER}.Assertions"
_ASSERTJ = "org.assertj.core.api.Assertions"


@dataclass(slots=True)
class BoundCode:
    """The code with its names bound; `types` and `methods` map names to their qualified replacement."""

    code: str
    imports: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        return tuple(
            InsertionWarning("unbound_name", f"nothing in the file binds `{name}`, which the test reads")
            for name in dict.fromkeys(self.missing)
        )


def bind(outline: JavaOutline, snippet: JavaSnippet, group: Group | None) -> BoundCode:
    """Return the snippet's code bound to the file's names, with the imports to add."""
    bound = BoundCode(snippet.code)
    own = {
        origin.rpartition(".")[2]: origin
        for origin, is_static, is_star in snippet.imports
        if not is_static and not is_star
    }
    for origin, is_static, is_star in snippet.imports:
        _import(outline, bound, origin, is_static=is_static, is_star=is_star)
    _bind_types(outline, snippet, own, bound)
    _bind_methods(outline, snippet, group, bound)
    if snippet.kind == BODY and group is not None and not _inherits(outline, group):
        known = names.declared_names(snippet.root) | group.names | set(outline.static_names)
        outer = {name for each in outline.groups for name in each.names}
        if not outline.static_stars:
            bound.missing += [
                name for name in names.read_variables(snippet.root) if name not in known | outer
            ]
    bound.code = _rewritten(snippet, bound)
    return bound


def _import(outline: JavaOutline, bound: BoundCode, origin: str, *, is_static: bool, is_star: bool) -> None:
    """Add an import of the snippet, or qualify its name where the file uses the name differently."""
    name = origin.rpartition(".")[2]
    package = origin.rpartition(".")[0]
    if is_star:
        if origin not in (outline.static_stars if is_static else outline.stars):
            bound.imports.append(f"import {'static ' if is_static else ''}{origin}.*;")
    elif is_static:
        if origin not in outline.static_names.get(name, ()) and package not in outline.static_stars:
            bound.imports.append(f"import static {origin};")
    elif outline.binds(name, origin) or origin == f"{outline.package_name}.{name}":
        return
    # Any use of the word may mean another class, which an import would replace.
    elif name in outline.declared or name in outline.origins or outline.contains_word(name):
        bound.types[name] = origin
    else:
        bound.imports.append(f"import {origin};")


def _bind_types(outline: JavaOutline, snippet: JavaSnippet, own: dict[str, str], bound: BoundCode) -> None:
    """Bind type names without an import: the JDK's are imported, unknown ones reported."""
    root = snippet.root
    declared = outline.declared | {
        text_of(n) for node in types_of(root) if (n := node.child_by_field_name("name"))
    }
    local = names.declared_names(root)
    stars = {origin for origin, _, is_star in snippet.imports if is_star} | outline.stars
    for node, parent in names.type_names(root):
        name = text_of(node)
        # A single letter is usually a type parameter.
        if name in own or name in declared or name in names.LANG or name in local or len(name) == 1:
            continue
        if name == "Assertions":
            _bind_assertions(outline, text_of(parent), bound)
        elif name in outline.origins:
            continue
        elif name in names.JDK:
            if names.JDK[name].rpartition(".")[0] in stars:
                continue
            if outline.contains_word(name):
                bound.types[name] = names.JDK[name]
            else:
                bound.imports.append(f"import {names.JDK[name]};")
        elif (
            name != "Test"
            and not names.may_be_neighbour(name)
            and all(star.startswith(("java.", "org.junit.")) for star in stars)
        ):
            bound.missing.append(name)


def _bind_assertions(outline: JavaOutline, call: str, bound: BoundCode) -> None:
    method = call.removeprefix("Assertions.").partition("(")[0]
    wanted = _ASSERTIONS if method in names.ASSERTIONS else _ASSERTJ
    if outline.binds("Assertions", wanted):
        return
    if "Assertions" in outline.origins:
        bound.types["Assertions"] = wanted
    elif wanted == _ASSERTIONS or any(o.startswith("org.assertj") for o in _origins(outline)):
        bound.imports.append(f"import {wanted};")
    else:
        bound.missing.append("Assertions")


def _bind_methods(outline: JavaOutline, snippet: JavaSnippet, group: Group | None, bound: BoundCode) -> None:
    """Bind method calls without a receiver: JUnit's assertions are imported as the file does."""
    given = {origin.rpartition(".")[2] for origin, is_static, _ in snippet.imports if is_static}
    known = {name for each in outline.groups for name in each.names} | names.declared_names(snippet.root)
    stars = outline.static_stars | {o for o, is_static, is_star in snippet.imports if is_static and is_star}
    for node in names.called_methods(snippet.root):
        name = text_of(node)
        if name in given or name in known or name in outline.static_names:
            continue
        if name in names.ASSERTIONS:
            if _ASSERTIONS in stars:
                continue
            if outline.binds("Assertions", _ASSERTIONS) and not outline.static_names:
                bound.methods[name] = f"Assertions.{name}"
            else:
                bound.imports.append(f"import static {_ASSERTIONS}.{name};")
        elif not stars and group is not None and not _inherits(outline, group):
            bound.missing.append(f"{name}()")


def _inherits(outline: JavaOutline, group: Group) -> bool:
    """Return whether the class may inherit names from a type outside this file."""
    tops = group.path.split(".")
    nodes = [each.node for each in outline.groups if each.name in tops]
    return any(
        node.child_by_field_name("superclass") is not None
        or node.child_by_field_name("interfaces") is not None
        or has_modifier(node, "sealed")
        for node in nodes
    )


def _origins(outline: JavaOutline) -> set[str]:
    static = {origin for origins in outline.static_names.values() for origin in origins}
    return {*outline.origins.values(), *outline.stars, *outline.static_stars, *static}


def _rewritten(snippet: JavaSnippet, bound: BoundCode) -> str:
    if not bound.types and not bound.methods:
        return snippet.code
    root = snippet.root
    types = [node for node, _ in names.type_names(root) if text_of(node) in bound.types]
    changes = [(node, bound.types[text_of(node)]) for node in types]
    changes += [
        (node, bound.methods[text_of(node)])
        for node in names.called_methods(root)
        if text_of(node) in bound.methods
    ]
    offset = snippet.offset
    edits = ((node.start_byte - offset, node.end_byte - offset, text.encode()) for node, text in changes)
    return apply_edits(snippet.code.encode(), edits).decode()
