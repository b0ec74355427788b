"""Renders a red test for its place in a Go file: a function, a suite's method, a subtest, or functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.golang import binding, writing
from phases.test_integration.languages.golang.indentation import rows_in_strings
from phases.test_integration.languages.golang.outline import Function, Outline
from phases.test_integration.languages.golang.placement import Placement
from phases.test_integration.languages.golang.snippet import Snippet
from phases.test_integration.languages.golang.subtests import subtests
from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.plan.used_names import UsedNames
from phases.test_integration.read.red_tests import RedTest

_HEAD = ("package_clause", "import_declaration")


@dataclass(frozen=True, slots=True)
class RenderedTest:
    """A rendered test; `imports` are (name, path) pairs to add to the file."""

    text: str
    names: tuple[str, ...]
    imports: tuple[tuple[str, str], ...]
    warnings: tuple[InsertionWarning, ...]


def render(outline: Outline, red_test: RedTest, snippet: Snippet, placement: Placement) -> RenderedTest:
    """Return the test's text for its placement. Raises InvalidTestCode."""
    snippet, new_imports = binding.bind(outline, snippet)
    markers = writing.markers(red_test)
    if snippet.is_body:
        text, name, parameter = _render_body(outline, red_test, snippet, placement, markers)
        names: tuple[str, ...] = (name,)
        if parameter:
            new_imports |= binding.testing(outline)
    else:
        text, names = _render_complete(outline, snippet, markers)
        parameter = ""
    receiver = placement.suite.receiver if placement.suite else ""
    warnings = binding.unbound(outline, snippet, {parameter, receiver, *new_imports} - {""})
    return RenderedTest(text, names, tuple((name, path) for name, path in new_imports.items()), warnings)


def _render_body(
    outline: Outline, red_test: RedTest, snippet: Snippet, placement: Placement, markers: list[str]
) -> tuple[str, str, str]:
    """Return the text, the name, and the name of its `*testing.T`, empty for a suite's method."""
    offset = 3  # lines before the body in the snippet's file
    protected = {row - offset for row in rows_in_strings(snippet.outline)}
    name = writing.make_unique(
        writing.function_name(red_test.name, red_test.vulnerable_file), _used_names(outline)
    )
    if placement.suite is not None:
        receiver = outline.text(placement.suite.node).partition(")")[0].removeprefix("func").strip()
        header = f"func {receiver}) {name}() {{"
        return writing.block(header, markers, snippet.code, protected), name, ""
    parameter = _parameter(outline, snippet)
    kind = f"{parameter} *{_testing_name(outline)}T"
    if placement.group is not None:
        title = writing.string(red_test.name)
        margin = outline.document.indent_at(placement.point.offset - 1).decode() or "\t"
        used_names = {each for _, each in subtests(outline, placement.group)}
        number = 2
        while title in used_names:
            title, number = writing.string(f"{red_test.name} {number}"), number + 1
        outer = placement.group.parameter or "t"
        text = writing.block(
            f"{outer}.Run({title}, func({kind}) {{", markers, snippet.code, protected, footer="})"
        )
        # The body now follows the header and the markers.
        moved = {row + 1 + len(markers) for row in protected}
        lines = text.split("\n")
        text = "\n".join(
            line if row in moved or not line else margin + line for row, line in enumerate(lines)
        )
        return text, title, parameter
    return writing.block(f"func {name}({kind}) {{", markers, snippet.code, protected), name, parameter


def _render_complete(outline: Outline, snippet: Snippet, markers: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return complete functions with unique names and markers in each test, and the functions' names."""
    tests = tests_of(snippet)
    new_names: dict[str, str] = {}
    bound = snippet.outline.names | {each.name for each in tests}
    lone = {each.name for each in tests if not each.is_test}
    reserved = UsedNames(_used_names(outline), "_")
    for name in sorted(bound):
        wanted = writing.function_name(name) if name in lone else name
        if wanted in reserved and (new := reserved.reserve(wanted)) != name:
            new_names[name] = new
        elif wanted != name:
            new_names[name] = reserved.reserve(wanted)
    chosen = {new_names.get(each.name, each.name) for each in tests}
    snippet = snippet.renamed(new_names)
    outline = snippet.outline
    source = outline.document.content
    pieces: list[bytes] = []
    head = [node for node in outline.root.named_children if node.type in _HEAD]
    start = max((node.end_byte for node in head), default=0)
    kept = [node for node in outline.root.named_children if node.start_byte >= start]
    copied = kept[0].start_byte if kept else start
    for function in outline.functions:
        if function.name in chosen and function.body is not None:
            body = function.body
            lines = "".join(f"\n\t{line}" for line in markers)
            pieces += [source[copied : body.start_byte + 1], lines.encode()]
            copied = body.start_byte + 1
            # A marker is a comment to the end of its line, so a body on one line is broken up.
            if body.start_point.row == body.end_point.row:
                inner = source[copied : body.end_byte - 1].strip()
                pieces.append(b"\n\t" + inner + b"\n")
                copied = body.end_byte - 1
            elif source[copied : copied + 1] != b"\n":
                pieces.append(b"\n\t")
                copied += len(source[copied:]) - len(source[copied:].lstrip(b" \t"))
    pieces.append(source[copied:])
    functions = [each for each in outline.functions if not each.type_name]
    names = tuple(each.name for each in functions or outline.functions)
    return b"".join(pieces).decode().strip("\n"), names


def _testing_name(outline: Outline) -> str:
    names = [name for name, path in outline.imported.items() if path == "testing"]
    if outline.package_name == "testing" and not names:
        return ""
    return "" if names == ["."] else f"{names[0]}." if names else "testing."


def _parameter(outline: Outline, snippet: Snippet) -> str:
    """Return the file's usual name for `*testing.T`, unless the test itself reads `t`."""
    used = Counter(each.parameter for each in outline.tests if each.parameter)
    usual_name = max(used, key=used.__getitem__, default="t")
    free = set(snippet.used) - snippet.declared - outline.names
    return usual_name if usual_name in free or "t" not in free else "t"


def _used_names(outline: Outline) -> Collection[str]:
    return outline.names | {each.name for each in outline.functions} | set(outline.imported)


def tests_of(snippet: Snippet) -> list[Function]:
    """Return the snippet's tests; without any, its last function that takes `*testing.T`.

    Raises InvalidTestCode.
    """
    functions = snippet.outline.functions
    tests = [each for each in functions if each.is_test]
    tests = tests or [each for each in functions if each.parameter][-1:]
    if not tests:
        raise InvalidTestCode("testCode has no test: a function that takes *testing.T")
    return tests
