"""Renders PHP: a method around a body, complete methods for a class, a class around methods."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.php.methods import (
    HOOKS,
    attribute_of,
    has_test_attribute,
    has_test_tag,
)
from phases.test_integration.languages.php.outline import names_declared
from phases.test_integration.languages.php.snippet import (
    CLASS,
    PhpSnippet,
    members_of,
    methods_of,
    string_rows,
)
from phases.test_integration.languages.shared.code import INDENT, indented
from phases.test_integration.languages.shared.outline import Group, Member, Outline
from phases.test_integration.plan.used_names import UsedNames

_RETURNS_VOID = re.compile(r"\)\s*:\s*void\b")
_NAME = re.compile(r"(?<![\w$\\])[^\W\d]\w*")
_SNAKE = re.compile(r"[a-z0-9]+(?:_[A-Za-z0-9]+)+")
# As `setUp` it would run for the file's own tests, so it is renamed and called by each new test.
_SETUP = "setUpSecurity"
MAX_METHODS = 500  # about 10 times what a hand-written test has


@dataclass(frozen=True, slots=True)
class Style:
    """The style of a class's tests; `attribute_line` is the line that makes a method a test, if any."""

    attribute_line: str = ""
    is_snake: bool = False
    returns_void: bool = True
    is_public: bool = True
    opens_below: bool = True


def style_of(outline: Outline, group: Group | None) -> Style:
    """Return the style that most of the group's tests have."""
    tests = group.tests if group else []
    if not tests:
        return Style(is_public=True)
    headers = [_header(outline, member) for member in tests]

    def most(matches: Sequence[bool]) -> bool:
        return sum(matches) * 2 > len(matches)

    return Style(
        attribute_line=_attribute_line(outline, tests),
        is_snake=most([bool(_SNAKE.fullmatch(member.name)) for member in tests]),
        returns_void=most([bool(_RETURNS_VOID.search(header)) for header in headers]),
        is_public=most(["public" in header.rpartition("function")[0] for header in headers]),
        opens_below=most(["\n" in header[header.rfind(")") :] for header in headers]),
    )


def method_name(words: Sequence[str], style: Style) -> str:
    words = list(words) if style.attribute_line else ["test", *words]
    if words[0][0].isdigit():
        words.insert(0, "it")
    return "_".join(words) if style.is_snake else words[0] + "".join(map(str.capitalize, words[1:]))


def method(name: str, style: Style, markers: Sequence[str], snippet: PhpSnippet) -> str:
    """Return a test method around the snippet's body."""
    header = (
        f"{'public ' if style.is_public else ''}function {name}(){': void' if style.returns_void else ''}"
    )
    lines = [style.attribute_line] if style.attribute_line else []
    lines += [header, "{"] if style.opens_below else [f"{header} {{"]
    body = indented(snippet.code, INDENT, snippet.protected)
    return "\n".join((*lines, *(INDENT + marker for marker in markers), body, "}"))


def complete_tests(
    snippet: PhpSnippet, used_names: Collection[str], markers: Sequence[str], *, knows_attribute: bool
) -> tuple[str, tuple[str, ...]]:
    """Return the snippet's members with markers in each test and unique names, and the names.

    Raises InvalidTestCode for code that would change how the class's own tests run.
    """
    root = snippet.root
    base = len(CLASS.encode())
    methods = methods_of(root)
    if len(methods) > MAX_METHODS:
        raise InvalidTestCode(f"testCode has more than {MAX_METHODS} methods")
    tests = [each for each in methods if _is_test(each, snippet, knows_attribute)]
    tests = tests or [each for each in methods if each.name.lower() not in HOOKS][-1:]
    if not tests:
        raise InvalidTestCode("testCode has no test")
    _reject(methods, members_of(root), used_names)
    helpers = {each.name: each for each in methods if each not in tests}
    edits: list[tuple[int, int, bytes]] = []
    renamed: dict[str, str] = {}
    names: list[str] = []
    has_setup = False
    own = {each.name for each in methods}
    reserved, every = (
        UsedNames(used_names, ignores_case=True),
        UsedNames({*used_names, *own}, ignores_case=True),
    )
    for each in methods:
        wanted = each.name
        if each.name not in helpers and not _is_test(each, snippet, knows_attribute):
            wanted = f"test{wanted[:1].upper()}{wanted[1:]}"
        elif each.name.lower() == "setup":
            wanted, has_setup = _SETUP, True
        is_free = wanted not in reserved and (wanted == each.name or wanted not in every)
        new = wanted if is_free else every.reserve(wanted)
        reserved.reserve(new)
        name = each.node.child_by_field_name("name")
        if new != each.name and name is not None and each.name not in helpers:
            edits.append((name.start_byte - base, name.end_byte - base, new.encode()))
        elif new != each.name:
            renamed[each.name] = new
        names.append(new)
    setup = renamed.get(next((name for name in helpers if name.lower() == "setup"), ""), _SETUP)
    for each in tests:
        if each.body is not None:
            lines = [*markers, *([f"$this->{setup}();"] if has_setup else [])]
            margin = " " * (each.node.start_point.column + len(INDENT))
            text = "".join(f"\n{margin}{line}" for line in lines)
            inner = each.body.text or b""
            # Code that follows the brace on its line moves to a line of its own, after the markers.
            gap = len(inner[1:]) - len(inner[1:].lstrip(b" \t"))
            goes_on = inner[1 + gap : 2 + gap] != b"\n"
            text += f"\n{margin}" if goes_on else ""
            start = each.body.start_byte + 1 - base
            edits.append((start, start + gap * goes_on, text.encode()))
    code = _edited(snippet.code, edits)
    if has_setup:
        # PHPUnit has already run the class's own `setUp`, which calls its parent's.
        code = re.sub(r"(?<![ \t])[ \t]*parent::setUp\(\);[ \t]*\n?", "", code)
    if renamed:
        code = _NAME.sub(lambda found: renamed.get(found[0], found[0]), code)
    if has_setup:
        code = re.sub(rf"\b(?:protected|public)(\s+function\s+{setup}\b)", r"private\1", code)
    return code, tuple(names)


def test_class(name: str, base: str, members: str) -> str:
    protected = string_rows(members, is_complete=True)
    return f"class {name} extends {base}\n{{\n{indented(members, INDENT, protected)}\n}}"


def _is_test(member: Member, snippet: PhpSnippet, knows_attribute: bool) -> bool:
    if member.name.startswith("test"):
        return member.is_test
    bound = knows_attribute or "Test" in snippet.imports or "\\Test" in attribute_of(member.node)
    return member.is_test and (bound or not has_test_attribute(member.node))


def _reject(methods: Sequence[Member], members: Sequence[Node], used_names: Collection[str]) -> None:
    """Raises InvalidTestCode for hooks, and for properties that the class already has."""
    for each in methods:
        if each.name.lower() in HOOKS - {"setup"}:
            raise InvalidTestCode(f"testCode has {each.name}, which would run for the file's own tests")
        if re.search(r"@(?:before|after)(?:Class)?\b", each.comment) or re.search(
            r"\b(?:Before|After)(?:Class)?\b", attribute_of(each.node)
        ):
            raise InvalidTestCode(
                f"testCode has a hook, {each.name}, which would run for the file's own tests"
            )
    folded = {name.lower() for name in used_names}
    for node in members:
        for name in names_declared(node):
            if name.lower() in folded:
                raise InvalidTestCode(f"testCode declares {name}, which the class has already")


def _header(outline: Outline, member: Member) -> str:
    """Return the method's header without comment and attributes."""
    attributes = member.node.child_by_field_name("attributes")
    start = attributes.end_byte if attributes else member.node.start_byte
    end = member.body.start_byte if member.body else member.end
    return outline.document.lines[start:end].decode(errors="replace")


def _attribute_line(outline: Outline, tests: Sequence[Member]) -> str:
    """Return `#[Test]` or `/** @test */`, whichever most tests use; empty where they are named `test...`."""
    kinds: Counter[str] = Counter()
    for member in tests:
        if member.name.startswith("test"):
            kinds[""] += 1
        elif has_test_attribute(member.node, outline.text):
            found = re.search(
                r"(?<![\w\\])\\?(?:\w+\\)*Test(?=\s*[,\](])", attribute_of(member.node, outline.text)
            )
            kinds[f"#[{found[0]}]" if found else ""] += 1
        else:
            kinds["/** @test */" if has_test_tag(member.comment) else ""] += 1
    return kinds.most_common(1)[0][0]


def _edited(code: str, edits: Sequence[tuple[int, int, bytes]]) -> str:
    return apply_edits(code.encode(), edits).decode()
