"""A Go test file as an insertion target."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.golang import imports as go_imports
from phases.test_integration.languages.golang import writing
from phases.test_integration.languages.golang.binding import bind
from phases.test_integration.languages.golang.outline import Outline
from phases.test_integration.languages.golang.placement import BLANK_LINES, Placement, choose_placement
from phases.test_integration.languages.golang.renderer import render, tests_of
from phases.test_integration.languages.golang.snippet import Snippet, fingerprint
from phases.test_integration.languages.golang.subtests import subtest_bodies, subtests
from phases.test_integration.plan import broken_syntax
from phases.test_integration.plan.insertion_points import InsertionPoint, splice_at
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.document import Span, Splice
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import split_path

_BUILD = re.compile(rb"^//\s*(?:go:build|\+build)\s+(.*)$", re.MULTILINE)
_HOOKS = frozenset({"init", "TestMain", "main"})


class GoTarget:
    """A Go file and the tests that `go test` collects from it."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline

    @property
    def has_tests(self) -> bool:
        return bool(self._outline.tests)

    @property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        return tuple(self._module_warnings())

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode, TargetRejected."""
        snippet = self._read(red_test)
        return self._find_existing(red_test, snippet) or self._plan_at(
            red_test, snippet, choose_placement(self._outline, red_test, snippet)
        )

    def plan_append(self, red_test: RedTest) -> Plan:
        if self._outline.root.has_error:
            broken_syntax.check_file_end(self._outline.document)
        placement = Placement(InsertionPoint(len(self._outline.document.content), "", BLANK_LINES), "append")
        return self._plan_at(red_test, self._read(red_test), placement)

    def has(self, plan: Plan, span: Span) -> bool:
        inserted_names: set[str] = set()
        for each in self._outline.functions:
            if span.start <= each.node.start_byte and each.node.end_byte <= span.end:
                if each.type_name in ("", plan.parent):
                    inserted_names.add(each.name)
            elif each.name == plan.parent and not each.type_name:
                inserted_names.update(
                    name
                    for call, name in subtests(self._outline, each)
                    if span.start <= call.start_byte and call.end_byte <= span.end
                )
        return inserted_names.issuperset(plan.names)

    def _read(self, red_test: RedTest) -> Snippet:
        """Raises InvalidTestCode for code that would stop the package's tests from compiling or running."""
        snippet = Snippet.of(red_test.code)
        snippet.check_locals()
        if snippet.is_body:
            return snippet
        for function in snippet.outline.functions:
            if function.name in _HOOKS and not function.type_name:
                raise InvalidTestCode(
                    f"testCode has {function.name}, which would change how the package's tests run"
                )
        functions = [
            each.name for each in snippet.outline.functions if each.name != "_" and not each.type_name
        ]
        names = {name: writing.with_module_name(name, red_test.vulnerable_file) for name in functions}
        return snippet.renamed({name: new for name, new in names.items() if new != name})

    def _find_existing(self, red_test: RedTest, snippet: Snippet) -> Plan | None:
        """Find the test in the file: the same statements under the same markers."""
        marker = writing.markers(red_test)[0]
        # Spares most files the comparison of every function.
        if marker.encode() not in self._outline.document.content:
            return None
        snippet, _ = bind(self._outline, snippet)
        wanted = [
            fingerprint(snippet.outline, each.body)
            for each in snippet.outline.functions
            if each.body is not None and (snippet.is_body or each in tests_of(snippet))
        ]
        existing: dict[str, tuple[Node, str]] = {}
        for function in self._outline.functions:
            if function.body is None or marker not in self._outline.text(function.node):
                continue
            bodies = [(function.body, function.type_name)]
            bodies += [(body, function.name) for _, body in subtest_bodies(self._outline, function)]
            for body, parent in bodies:
                if _has_line(self._outline.text(body), marker):
                    node = body if parent == function.name else function.node
                    existing.setdefault(fingerprint(self._outline, body), (node, parent))
        if not wanted or not all(each in existing for each in wanted):
            return None
        node, parent = existing[wanted[0]]
        return Plan(strategy="already_present", parent=parent, existing=node.start_byte)

    def _plan_at(self, red_test: RedTest, snippet: Snippet, placement: Placement) -> Plan:
        """Return the plan; a file without package clause gets one, as Go requires it."""
        outline = self._outline
        document = outline.document
        rendered = render(outline, red_test, snippet, placement)
        text, warnings = rendered.text, rendered.warnings
        new_imports = list(rendered.imports)
        if outline.package is None and not document.lines[document.start :].strip():
            package = _package_of(red_test.vulnerable_file)
            lines = [f"package {package}", ""]
            if new_imports:
                lines += [*go_imports.block(new_imports), ""]
            text, new_imports = "\n".join((*lines, text)), []
            message = f"the file's package is taken to be `{package}`, after the vulnerable file's directory"
            warnings = (*warnings, InsertionWarning("package_assumed", message))
        eol = document.eol.decode()
        if new_imports and any(block.has_error for block in outline.import_blocks):
            raise broken_syntax.unsafe_position()
        heads = go_imports.splices(outline, new_imports)
        if placement.group is None:
            main = splice_at(document, placement.point, text.replace("\n", eol))
        else:
            main = Splice(placement.point.offset, f"\n{text}\n".replace("\n", eol).encode())
        if heads and heads[-1].offset == main.offset:
            # The file ends with its package clause: both splices have the same offset.
            gap = b"" if main.text.startswith(document.eol) else document.eol
            main = Splice(main.offset, heads.pop().text + gap + main.text)
        splices = sorted((*heads, main), key=lambda splice: splice.offset)
        return Plan(
            strategy=placement.strategy,
            parent=placement.parent,
            splices=tuple(splices),
            main=splices.index(main),
            names=rendered.names,
            warnings=warnings,
        )

    def _module_warnings(self) -> Iterator[InsertionWarning]:
        """Warn about build constraints, and about a TestMain that may not run the tests."""
        outline = self._outline
        head = outline.document.lines[: outline.package.start_byte] if outline.package else b""
        for found in _BUILD.finditer(head):
            line = outline.document.row_of(found.start()) + 1
            if found[1].split()[:1] == [b"ignore"]:
                yield InsertionWarning(
                    "module_skipped", "the file is never built: its constraint is `ignore`", line
                )
            else:
                yield InsertionWarning(
                    "module_may_be_skipped", "the file is built under a constraint only", line
                )
            break
        for function in outline.functions:
            if (
                function.name == "TestMain"
                and not function.type_name
                and ".Run()" not in outline.text(function.node)
            ):
                line = function.node.start_point.row + 1
                yield InsertionWarning(
                    "module_may_be_skipped", "TestMain may not run the package's tests", line
                )


def _has_line(text: str, marker: str) -> bool:
    return marker in {line.strip() for line in text.split("\n")}


def _package_of(vulnerable_file: str) -> str:
    directories, _ = split_path(vulnerable_file)
    name = re.sub(r"[^a-z0-9_]", "", directories[-1].lower()) if directories else ""
    return name if name[:1].isalpha() else "main"
