"""Renders Java: a method around a body, or complete methods with markers and unique names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.java.outline import (
    annotations_of,
    has_modifier,
    modifiers_of,
    name_of,
)
from phases.test_integration.languages.java.snippet import (
    CLASSES,
    JavaSnippet,
    methods_of,
    types_of,
)
from phases.test_integration.languages.shared.code import INDENT, indented
from phases.test_integration.languages.shared.outline import Group, Member
from phases.test_integration.plan.used_names import UsedNames

MAX_METHODS = 500  # about 10 times what a hand-written test has
_NAME = re.compile(r"(?<![\w$.])[^\W\d][\w$]*(?![\w$]|\s*:)")  # not a member, not a label
_BLANKS = re.compile(rb"[ \t]*")
_SNAKE = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class Style:
    """The style of a class's tests."""

    is_prefixed: bool = False
    is_snake: bool = False
    is_public: bool = False


def style_of(group: Group | None) -> Style:
    """Return the style that most of the group's tests have."""
    tests = group.tests if group else []
    if not tests:
        return Style()

    def most(matches: Sequence[bool]) -> bool:
        return sum(matches) * 2 > len(matches)

    return Style(
        is_prefixed=most([test.name.startswith("test") for test in tests]),
        is_snake=most([bool(_SNAKE.fullmatch(test.name)) for test in tests]),
        is_public=most([has_modifier(test.node, "public") for test in tests]),
    )


def method_name(words: Sequence[str], style: Style) -> str:
    words = ["test", *words] if style.is_prefixed else list(words)
    if words[0][0].isdigit():
        words.insert(0, "test")
    return "_".join(words) if style.is_snake else words[0] + "".join(map(str.capitalize, words[1:]))


def method(name: str, annotation: str, style: Style, markers: Sequence[str], snippet: JavaSnippet) -> str:
    header = f"{'public ' if style.is_public else ''}void {name}() throws Exception {{"
    body = indented(snippet.code, INDENT, snippet.protected)
    return "\n".join((annotation, header, *(INDENT + marker for marker in markers), body, "}"))


def complete_tests(
    snippet: JavaSnippet,
    used_names: Collection[str],
    declared: Collection[str],
    markers: Sequence[str],
    annotation: str,
) -> tuple[str, tuple[str, ...]]:
    """Return the snippet's methods or classes with markers in each test, and the names that they define.

    Raises InvalidTestCode.
    """
    methods = methods_of(snippet.root)
    if len(methods) > MAX_METHODS:
        raise InvalidTestCode(f"testCode has more than {MAX_METHODS} methods")
    tests = [each for each in methods if each.is_test]
    edits: list[tuple[int, int, str]] = []
    if not tests and snippet.kind != CLASSES:
        tests = methods[-1:]
        edits.append((_start(tests[0]) - snippet.offset, 0, f"{annotation}\n"))
    if not tests:
        raise InvalidTestCode("testCode has no test")
    for each in tests:
        if each.body is not None:
            margin = " " * (each.node.start_point.column + len(INDENT))
            text = "".join(f"\n{margin}{marker}" for marker in markers)
            inner = each.body.text or b""
            # Code that follows the brace on its line moves to a line of its own, after the markers.
            gap = len(inner[1:]) - len(inner[1:].lstrip(b" \t"))
            goes_on = inner[1 + gap : 2 + gap] != b"\n"
            text += f"\n{margin}" if goes_on else ""
            edits.append((each.body.start_byte + 1 - snippet.offset, gap * goes_on, text))
    renamed: dict[str, str] = {}
    if snippet.kind == CLASSES:
        names: tuple[str, ...] = (_rename_classes(snippet, declared, edits, renamed),)
    else:
        names = _rename_methods(methods, tests, used_names, snippet.offset, edits, renamed)
    code = _edited(snippet.code, edits)
    if renamed:
        code = _NAME.sub(lambda found: renamed.get(found[0], found[0]), code)
    return code, names


def _rename_methods(
    methods: Sequence[Member],
    tests: Sequence[Member],
    used_names: Collection[str],
    offset: int,
    edits: list[tuple[int, int, str]],
    renamed: dict[str, str],
) -> tuple[str, ...]:
    """Choose unique names for all methods: edits rename tests, `renamed` maps helpers everywhere."""
    names: list[str] = []
    fixed, reserved = UsedNames(used_names, ignores_case=True), UsedNames(used_names, ignores_case=True)
    every = UsedNames({*used_names, *(each.name for each in methods)}, ignores_case=True)
    starts = {each.start for each in tests}
    for each in methods:
        is_test = each.start in starts
        # Helpers with the same name are overloads: they are renamed together.
        new = renamed.get(each.name, "")
        if not new:
            is_free = each.name not in (reserved if is_test else fixed)
            new = each.name if is_free else every.reserve(each.name)
        name = each.node.child_by_field_name("name")
        if new != each.name and is_test and name is not None:
            edits.append((name.start_byte - offset, name.end_byte - name.start_byte, new))
        elif new != each.name:
            renamed[each.name] = new
        reserved.reserve(new)
        names.append(new)
    return tuple(names)


def _rename_classes(
    snippet: JavaSnippet,
    declared: Collection[str],
    edits: list[tuple[int, int, str]],
    renamed: dict[str, str],
) -> str:
    """Make classes non-public, as a file has only one public class, and give them unique names."""
    main, free = snippet.class_name, UsedNames(declared, ignores_case=True)
    code = snippet.code.encode()
    for node in types_of(snippet.root):
        modifiers = modifiers_of(node)
        for child in modifiers.children if modifiers else ():
            if child.type in ("public", "private", "protected"):
                start, end = child.start_byte - snippet.offset, child.end_byte - snippet.offset
                blanks = _BLANKS.match(code, end)
                edits.append((start, (blanks.end() if blanks else end) - start, ""))
        name = name_of(node)
        wanted = name if name != main or re.search(r"Tests?$|^Test", name) else f"{name}Test"
        new = free.reserve(wanted)
        if new != name:
            renamed[name] = new
    return renamed.get(main, main)


def test_class(name: str, members: str, protected: Collection[int]) -> str:
    return f"class {name} {{\n\n{indented(members, INDENT, protected)}\n}}"


def is_test(member: Member) -> bool:
    return "Test" in annotations_of(member.node) or member.is_test


def _start(member: Member) -> int:
    return member.node.start_byte


def _edited(code: str, edits: Sequence[tuple[int, int, str]]) -> str:
    changes = ((start, start + length, text.encode()) for start, length, text in edits)
    return apply_edits(code.encode(), changes).decode()
