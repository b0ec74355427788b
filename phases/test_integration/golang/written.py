"""A test as the text that a Go file gets: a function, a suite's method, a subtest, or whole functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.golang import binding, writing
from phases.test_integration.golang.layout import Function, Layout
from phases.test_integration.golang.margins import rows_in_strings
from phases.test_integration.golang.places import Place
from phases.test_integration.golang.snippet import Snippet
from phases.test_integration.golang.subtests import subtests
from phases.test_integration.insertion import Notice
from phases.test_integration.red_tests import RedTest
from phases.test_integration.taken import Taken

_HEAD = ("package_clause", "import_declaration")


@dataclass(frozen=True, slots=True)
class Written:
    text: str
    names: tuple[str, ...]
    imports: tuple[tuple[str, str], ...]
    notices: tuple[Notice, ...]


def write(layout: Layout, red_test: RedTest, snippet: Snippet, place: Place) -> Written:
    """The test's text for its place. Raises InvalidTestCode."""
    snippet, new_imports = binding.bind(layout, snippet)
    marks = writing.marks(red_test)
    if snippet.is_body:
        text, name, parameter = _write_body(layout, red_test, snippet, place, marks)
        names: tuple[str, ...] = (name,)
        if parameter:
            new_imports |= binding.testing(layout)
    else:
        text, names = _write_whole(layout, snippet, marks)
        parameter = ""
    receiver = place.suite.receiver if place.suite else ""
    notices = binding.unbound(layout, snippet, {parameter, receiver, *new_imports} - {""})
    return Written(text, names, tuple((name, path) for name, path in new_imports.items()), notices)


def _write_body(
    layout: Layout, red_test: RedTest, snippet: Snippet, place: Place, marks: list[str]
) -> tuple[str, str, str]:
    """The text, the name, and what the test calls its `*testing.T`, empty for a suite's method."""
    offset = 3  # the lines before the body in the snippet's file
    protected = {row - offset for row in rows_in_strings(snippet.layout)}
    name = writing.unique(writing.function_name(red_test.name, red_test.vulnerable_file), _taken(layout))
    if place.suite is not None:
        receiver = layout.text(place.suite.node).partition(")")[0].removeprefix("func").strip()
        header = f"func {receiver}) {name}() {{"
        return writing.block(header, marks, snippet.code, protected), name, ""
    parameter = _parameter(layout, snippet)
    kind = f"{parameter} *{_testing_name(layout)}T"
    if place.group is not None:
        title = writing.string(red_test.name)
        margin = layout.document.indent_at(place.spot.offset - 1).decode() or "\t"
        taken = {each for _, each in subtests(layout, place.group)}
        number = 2
        while title in taken:
            title, number = writing.string(f"{red_test.name} {number}"), number + 1
        outer = place.group.parameter or "t"
        text = writing.block(
            f"{outer}.Run({title}, func({kind}) {{", marks, snippet.code, protected, footer="})"
        )
        moved = {row + 1 + len(marks) for row in protected}
        lines = text.split("\n")
        text = "\n".join(
            line if row in moved or not line else margin + line for row, line in enumerate(lines)
        )
        return text, title, parameter
    return writing.block(f"func {name}({kind}) {{", marks, snippet.code, protected), name, parameter


def _write_whole(layout: Layout, snippet: Snippet, marks: list[str]) -> tuple[str, tuple[str, ...]]:
    tests = tests_of(snippet)
    new_names: dict[str, str] = {}
    bound = snippet.layout.names | {each.name for each in tests}
    lone = {each.name for each in tests if not each.is_test}
    standing = Taken(_taken(layout), "_")
    for name in sorted(bound):
        wanted = writing.function_name(name) if name in lone else name
        if wanted in standing and (new := standing.take(wanted)) != name:
            new_names[name] = new
        elif wanted != name:
            new_names[name] = standing.take(wanted)
    chosen = {new_names.get(each.name, each.name) for each in tests}
    snippet = snippet.renamed(new_names)
    layout = snippet.layout
    source = layout.document.content
    pieces: list[bytes] = []
    head = [node for node in layout.root.named_children if node.type in _HEAD]
    start = max((node.end_byte for node in head), default=0)
    kept = [node for node in layout.root.named_children if node.start_byte >= start]
    taken = kept[0].start_byte if kept else start
    for function in layout.functions:
        if function.name in chosen and function.body is not None:
            body = function.body
            lines = "".join(f"\n\t{line}" for line in marks)
            pieces += [source[taken : body.start_byte + 1], lines.encode()]
            taken = body.start_byte + 1
            if body.start_point.row == body.end_point.row:
                inner = source[taken : body.end_byte - 1].strip()
                pieces.append(b"\n\t" + inner + b"\n")
                taken = body.end_byte - 1
            elif source[taken : taken + 1] != b"\n":
                pieces.append(b"\n\t")
                taken += len(source[taken:]) - len(source[taken:].lstrip(b" \t"))
    pieces.append(source[taken:])
    functions = [each for each in layout.functions if not each.type_name]
    names = tuple(each.name for each in functions or layout.functions)
    return b"".join(pieces).decode().strip("\n"), names


def _testing_name(layout: Layout) -> str:
    names = [name for name, path in layout.imported.items() if path == "testing"]
    if layout.package_name == "testing" and not names:
        return ""
    return "" if names == ["."] else f"{names[0]}." if names else "testing."


def _parameter(layout: Layout, snippet: Snippet) -> str:
    """What the file calls its `*testing.T`, unless the test reads `t` and means it."""
    used = Counter(each.parameter for each in layout.tests if each.parameter)
    habit = max(used, key=used.__getitem__, default="t")
    free = set(snippet.used) - snippet.declared - layout.names
    return habit if habit in free or "t" not in free else "t"


def _taken(layout: Layout) -> Collection[str]:
    return layout.names | {each.name for each in layout.functions} | set(layout.imported)


def tests_of(snippet: Snippet) -> list[Function]:
    """The snippet's tests; where nothing is called one, its last function."""
    functions = snippet.layout.functions
    tests = [each for each in functions if each.is_test]
    tests = tests or [each for each in functions if each.parameter][-1:]
    if not tests:
        raise InvalidTestCode("testCode has no test: a function that takes *testing.T")
    return tests
