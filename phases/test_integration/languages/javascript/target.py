"""A JavaScript test file as an insertion target."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import TargetRejected
from phases.test_integration.languages.javascript import file_warnings, insertion_points, writing
from phases.test_integration.languages.javascript.bindings import text_of
from phases.test_integration.languages.javascript.calls import Call
from phases.test_integration.languages.javascript.context import Context, RenderedTest
from phases.test_integration.languages.javascript.group_scores import GroupScorer
from phases.test_integration.languages.javascript.insertion_points import InsertionPoint
from phases.test_integration.languages.javascript.outline import Group, Outline
from phases.test_integration.languages.javascript.renderer import JavaScriptTest
from phases.test_integration.languages.javascript.snippet import Snippet
from phases.test_integration.languages.javascript.style import Style
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.document import Document, Span, Splice
from phases.test_integration.read.red_tests import RedTest

_MIN_SCORE = 5  # of a group, in a file that also has tests outside groups
_NEW_GROUP = "security"
_IN_SOURCE = "import.meta.vitest"
_MARKER_DISTANCE = 12  # lines between a test's markers and its code
_MAX_SCORED_GROUPS = 12


@dataclass(frozen=True, slots=True)
class _Placement:
    """The chosen place of a test and the strategy that the API reports."""

    context: Context
    point: InsertionPoint
    strategy: str


class JavaScriptTarget:
    """A JavaScript file and the tests that its framework collects."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline

    @property
    def has_tests(self) -> bool:
        return bool(self._outline.outermost)

    @cached_property
    def warnings(self) -> tuple[InsertionWarning, ...]:
        return tuple(file_warnings.find_file_warnings(self._outline))

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode, and TargetRejected where another test runner runs the file."""
        self._reject_other_runner()
        test = JavaScriptTest.of(red_test)
        if existing := self._find_existing(test):
            return existing
        test = test.in_style(self._outline)
        # An earlier request may have inserted it in the file's assertion style.
        if existing := self._find_existing(test):
            return existing
        test, placement = self._choose(test)
        return self._plan_at(test, placement)

    def plan_append(self, red_test: RedTest) -> Plan:
        self._reject_other_runner()
        point = insertion_points.end_of_file(self._outline)
        test = JavaScriptTest.of(red_test).in_style(self._outline)
        return self._plan_at(test, _Placement(self._context(None), point, "append"))

    def has(self, plan: Plan, span: Span) -> bool:
        container = self._outline.root
        calls = self._outline.tests if not plan.parent else []
        groups = [each for each in self._outline.groups if each.parent is None] if not plan.parent else []
        for group in self._outline.groups if plan.parent else ():
            body = group.body
            if body.start_byte < span.start and span.end < body.end_byte and group.path == plan.parent:
                container, calls, groups = body, group.tests, group.groups
        calls_in_scope = [*calls, *(group.call for group in groups)]
        calls_in_scope += [
            each
            for each in self._outline.others
            if span.start <= each.statement.start_byte < span.end and each.statement.parent == container
        ]
        titles = [
            self._outline.text(each.title_node) if each.title_node else ""
            for each in calls_in_scope
            if span.start <= each.statement.start_byte and each.statement.end_byte <= span.end
        ]
        return all(titles.count(name) >= plan.names.count(name) for name in plan.names)

    def _reject_other_runner(self) -> None:
        outline = self._outline
        if any(
            (condition := node.child_by_field_name("condition")) and _IN_SOURCE in outline.text(condition)
            for node in outline.root.named_children
            if node.type == "if_statement"
        ):
            raise TargetRejected("the file is a module with its own tests in it, in `import.meta.vitest`")
        if outline.other_runner and not outline.outermost:
            raise TargetRejected(
                f"the file's tests are run by {outline.other_runner}, not by {outline.dialect.name}"
            )

    def _context(self, group: Group | None, new_group: str = "") -> Context:
        return Context(self._outline, Style(self._outline, group), group, new_group)

    def _choose(self, test: JavaScriptTest) -> tuple[JavaScriptTest, _Placement]:
        """Choose the group with the highest score, else the top level."""
        outline = self._outline
        scorer = GroupScorer(outline, test.red_test, test.snippet.free)
        candidates = [group for group in outline.groups if group.runs]
        scores = {id(group): scorer.score(group) for group in candidates}
        if len(candidates) > 1:
            # Only of the best few, because this reads the scope of a group and of its parents.
            best_few = sorted(candidates, key=lambda each: -scores[id(each)])[:_MAX_SCORED_GROUPS]
            for group in best_few:
                scores[id(group)] += scorer.score_declared(group, test.snippet.free)
        # Of equal scores the outermost group, then one with tests of its own, then the first in the file.
        best = max(
            candidates, key=lambda each: (scores[id(each)], -each.depth, bool(each.tests)), default=None
        )
        if best is not None and outline.tests and scores[id(best)] < _MIN_SCORE:
            best = None
        if best is not None:
            return _unwrapped(test, best), self._in_group(best)
        return test, self._at_top()

    def _in_group(self, group: Group) -> _Placement:
        anchor, strategy = _last_of(group)
        return _Placement(
            self._context(group), insertion_points.in_group(self._outline, group, anchor), strategy
        )

    def _at_top(self) -> _Placement:
        outline = self._outline
        if outline.tests:
            last = outline.tests[-1]
            return _Placement(
                self._context(None), insertion_points.at_top(outline, last.statement), _strategy_after(last)
            )
        context = self._context(None, _NEW_GROUP)
        if outline.outermost:
            return _Placement(
                context, insertion_points.at_top(outline, outline.outermost[-1]), "after_last_group"
            )
        return _Placement(context, insertion_points.end_of_file(outline), "end_of_file")

    def _plan_at(self, test: JavaScriptTest, placement: _Placement) -> Plan:
        """Return the plan for a placement."""
        outline, document, context = self._outline, self._outline.document, placement.context
        rendered = test.render(context)
        lines = rendered.lines
        if not context.style.semicolon and insertion_points.needs_semicolon(document, placement.point):
            lines = [*lines[:-1], replace(lines[-1], text=lines[-1].text + ";")]
        text = writing.rendered(lines, placement.point.prefix, outline.unit, document.eol.decode())
        main = insertion_points.splice_at(document, placement.point, text)
        splices = [*self._head(rendered, context), main]
        splices.sort(key=lambda splice: splice.offset)
        return Plan(
            strategy=placement.strategy,
            parent=context.group.path if context.group else "",
            splices=tuple(splices),
            main=splices.index(main),
            names=tuple(rendered.titles),
            warnings=tuple(rendered.warnings),
        )

    def _head(self, rendered: RenderedTest, context: Context) -> list[Splice]:
        """Return the splices of the imports that the test needs."""
        outline, style = self._outline, context.style
        imports, found = list(rendered.imports), []
        if rendered.names:
            module = outline.dialect.module
            extended = outline.module_import and insertion_points.more_names(
                outline, outline.module_import, rendered.names
            )
            if extended:
                found.append(extended)
            else:
                names = ", ".join(sorted(rendered.names))
                quoted = f"{style.quote}{module}{style.quote}"
                imports.insert(0, f"import {{ {names} }} from {quoted}{style.semicolon}")
        statement = insertion_points.import_splice(outline, list(dict.fromkeys(imports)))
        return [*found, *([statement] if statement else [])]

    def _find_existing(self, test: JavaScriptTest) -> Plan | None:
        """Find the test in the file: the same lines under the same markers."""
        document = self._outline.document
        if test.markers[0].encode() not in document.content:
            return None
        rows = [row.strip() for row in re.split(rb"\r\n|\r|\n", document.content)]
        offsets = _starts(document)
        markers = [marker.encode() for marker in test.markers]
        codes = [test.code(Style(self._outline, None).renames(test.snippet, self._outline))]
        if inner := _inner(test):
            codes.append(inner.code(Style(self._outline, None).renames(inner.snippet, self._outline)))
        wanted = [_distinctive_rows([line.text.strip().encode() for line in code], test) for code in codes]
        for row, text in enumerate(rows):
            if text != markers[0] or rows[row : row + len(markers)] != markers:
                continue
            start = row + len(markers)
            for code in wanted:
                for at in range(start, start + _MARKER_DISTANCE):
                    if rows[at : at + len(code)] == code:
                        group = self._group_around(offsets[row])
                        path = group.path if group else ""
                        return Plan("already_present", parent=path, existing=offsets[row])
        return None

    def _group_around(self, offset: int) -> Group | None:
        found = None
        for group in self._outline.groups:
            if group.body.start_byte <= offset < group.body.end_byte:
                found = group
        return found


def _distinctive_rows(rows: list[bytes], test: JavaScriptTest) -> list[bytes]:
    """Return the rows to search for; later tests may have been inserted before a group's closing lines."""
    if any(call.is_group for call in test.snippet.calls):
        while len(rows) > 1 and not rows[-1].strip(b"});"):
            rows = rows[:-1]
    return rows


def _starts(document: Document) -> list[int]:
    return [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", document.content))]


def _last_of(group: Group) -> tuple[Node | None, str]:
    """Return the statement that a test goes after in the group, and the strategy's name."""
    if group.tests:
        return group.tests[-1].statement, _strategy_after(group.tests[-1])
    if group.groups:
        return group.groups[-1].call.statement, "after_last_group"
    return group.last, "inside_describe"


def _strategy_after(call: Call) -> str:
    return "after_last_test" if call.function.rpartition(".")[2] == "test" else "after_last_it_block"


def _inner(test: JavaScriptTest) -> JavaScriptTest | None:
    """Return the tests of the code's only group as a test of their own."""
    snippet = test.snippet
    if len(snippet.calls) != 1 or snippet.helpers or not snippet.calls[0].is_group:
        return None
    body = snippet.calls[0].body
    if body is None or not body.named_children or not snippet.calls[0].is_plain:
        return None
    first, last = body.named_children[0], body.named_children[-1]
    document = snippet.document
    start = document.line_start(first.start_byte)
    if document.content[start : first.start_byte].strip():
        start = first.start_byte
    imports = "".join(text_of(document, each.node) + "\n" for each in snippet.imports)
    end = last.end_byte
    if document.content[end : end + 1] == b";":
        end += 1
    inner = replace(test, snippet=Snippet.of(imports + document.content[start:end].decode()))
    return inner if inner.snippet.calls and not inner.snippet.helpers else None


def _unwrapped(test: JavaScriptTest, group: Group) -> JavaScriptTest:
    """Return the tests without their group where the file's group has the same title."""
    inner = _inner(test)
    if inner is None:
        return test
    title = test.snippet.calls[0].title_node
    text = text_of(test.snippet.document, title)[1:-1] if title else ""
    return inner if text == group.title or text.lower() == group.title.lower() == _NEW_GROUP else test
