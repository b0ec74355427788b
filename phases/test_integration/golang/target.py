"""A Go test file as a target: where in it a test goes, and whether the test is there already."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from phases.test_integration import broken
from phases.test_integration.document import Span, Splice
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.golang import imports as go_imports
from phases.test_integration.golang import writing
from phases.test_integration.golang.binding import bind
from phases.test_integration.golang.layout import Layout
from phases.test_integration.golang.places import GAP, Place, choose
from phases.test_integration.golang.snippet import Snippet, fingerprint
from phases.test_integration.golang.subtests import subtest_bodies, subtests
from phases.test_integration.golang.written import tests_of, write
from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.red_tests import RedTest
from phases.test_integration.spots import Spot, splice_at
from phases.test_integration.words import split_path

_BUILD = re.compile(rb"^//\s*(?:go:build|\+build)\s+(.*)$", re.MULTILINE)
_HOOKS = frozenset({"init", "TestMain", "main"})


class GoTarget:
    """One file's outline and what `go test` makes of it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def has_tests(self) -> bool:
        return bool(self._layout.tests)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self._module_notices())

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode."""
        snippet = self._read(red_test)
        return self._already_there(red_test, snippet) or self._plan_at(
            red_test, snippet, choose(self._layout, red_test, snippet)
        )

    def plan_append(self, red_test: RedTest) -> Plan:
        if self._layout.root.has_error:
            broken.check_end(self._layout.document)
        place = Place(Spot(len(self._layout.document.content), "", GAP), "append")
        return self._plan_at(red_test, self._read(red_test), place)

    def has(self, plan: Plan, span: Span) -> bool:
        standing: set[str] = set()
        for each in self._layout.functions:
            if span.start <= each.node.start_byte and each.node.end_byte <= span.end:
                if each.type_name in ("", plan.parent):
                    standing.add(each.name)
            elif each.name == plan.parent and not each.type_name:
                standing.update(
                    name
                    for call, name in subtests(self._layout, each)
                    if span.start <= call.start_byte and call.end_byte <= span.end
                )
        return standing.issuperset(plan.names)

    def _read(self, red_test: RedTest) -> Snippet:
        """Raises InvalidTestCode for code that would keep the package's tests from being compiled or run."""
        snippet = Snippet.of(red_test.code)
        snippet.check_locals()
        if snippet.is_body:
            return snippet
        for function in snippet.layout.functions:
            if function.name in _HOOKS and not function.type_name:
                raise InvalidTestCode(
                    f"testCode has {function.name}, which would change how the package's tests run"
                )
        functions = [
            each.name for each in snippet.layout.functions if each.name != "_" and not each.type_name
        ]
        names = {name: writing.about(name, red_test.vulnerable_file) for name in functions}
        return snippet.renamed({name: new for name, new in names.items() if new != name})

    def _already_there(self, red_test: RedTest, snippet: Snippet) -> Plan | None:
        """The file's own copy of the test: the same statements under the same marks."""
        mark = writing.marks(red_test)[0]
        if mark.encode() not in self._layout.document.content:
            return None
        snippet, _ = bind(self._layout, snippet)
        wanted = [
            fingerprint(snippet.layout, each.body)
            for each in snippet.layout.functions
            if each.body is not None and (snippet.is_body or each in tests_of(snippet))
        ]
        there: dict[str, tuple[Node, str]] = {}
        for function in self._layout.functions:
            if function.body is None or mark not in self._layout.text(function.node):
                continue
            bodies = [(function.body, function.type_name)]
            bodies += [(body, function.name) for _, body in subtest_bodies(self._layout, function)]
            for body, parent in bodies:
                if _has_line(self._layout.text(body), mark):
                    node = body if parent == function.name else function.node
                    there.setdefault(fingerprint(self._layout, body), (node, parent))
        if not wanted or not all(each in there for each in wanted):
            return None
        node, parent = there[wanted[0]]
        return Plan(strategy="already_present", parent=parent, existing=node.start_byte)

    def _plan_at(self, red_test: RedTest, snippet: Snippet, place: Place) -> Plan:
        layout = self._layout
        document = layout.document
        written = write(layout, red_test, snippet, place)
        text, notices = written.text, written.notices
        new_imports = list(written.imports)
        if layout.package is None and not document.lines[document.start :].strip():
            package = _package_of(red_test.vulnerable_file)
            lines = [f"package {package}", ""]
            if new_imports:
                lines += [*go_imports.block(new_imports), ""]
            text, new_imports = "\n".join((*lines, text)), []
            message = f"the file's package is taken to be `{package}`, after the vulnerable file's directory"
            notices = (*notices, Notice("package_assumed", message))
        eol = document.eol.decode()
        if new_imports and any(block.has_error for block in layout.import_blocks):
            raise broken.doubtful()
        heads = go_imports.splices(layout, new_imports)
        if place.group is None:
            main = splice_at(document, place.spot, text.replace("\n", eol))
        else:
            main = Splice(place.spot.offset, f"\n{text}\n".replace("\n", eol).encode())
        if heads and heads[-1].offset == main.offset:
            # A file that ends with its package clause: both are one.
            gap = b"" if main.text.startswith(document.eol) else document.eol
            main = Splice(main.offset, heads.pop().text + gap + main.text)
        splices = sorted((*heads, main), key=lambda splice: splice.offset)
        return Plan(
            strategy=place.strategy,
            parent=place.parent,
            splices=tuple(splices),
            main=splices.index(main),
            names=written.names,
            notices=notices,
        )

    def _module_notices(self) -> Iterator[Notice]:
        layout = self._layout
        head = layout.document.lines[: layout.package.start_byte] if layout.package else b""
        for found in _BUILD.finditer(head):
            line = layout.document.row_of(found.start()) + 1
            if found[1].split()[:1] == [b"ignore"]:
                yield Notice("module_skipped", "the file is never built: its constraint is `ignore`", line)
            else:
                yield Notice("module_may_be_skipped", "the file is built under a constraint only", line)
            break
        for function in layout.functions:
            if (
                function.name == "TestMain"
                and not function.type_name
                and ".Run()" not in layout.text(function.node)
            ):
                line = function.node.start_point.row + 1
                yield Notice("module_may_be_skipped", "TestMain may not run the package's tests", line)


def _has_line(text: str, mark: str) -> bool:
    return mark in {line.strip() for line in text.split("\n")}


def _package_of(vulnerable_file: str) -> str:
    directories, _ = split_path(vulnerable_file)
    name = re.sub(r"[^a-z0-9_]", "", directories[-1].lower()) if directories else ""
    return name if name[:1].isalpha() else "main"
