"""A JavaScript test file as a target: where in it a test goes, and whether the test is there already."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.document import Document, Span, Splice
from phases.test_integration.errors import TargetRefused
from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.javascript import notices, spots, writing
from phases.test_integration.javascript.affinity import Affinity
from phases.test_integration.javascript.bindings import text_of
from phases.test_integration.javascript.calls import Call
from phases.test_integration.javascript.habits import Habits
from phases.test_integration.javascript.javascript_test import JavaScriptTest
from phases.test_integration.javascript.layout import Group, Layout
from phases.test_integration.javascript.setting import Setting, Written
from phases.test_integration.javascript.snippet import Snippet
from phases.test_integration.javascript.spots import Spot
from phases.test_integration.red_tests import RedTest

_ENOUGH = 5  # what must speak for a group where the file has tests outside of groups
_NEW_GROUP = "security"
_IN_SOURCE = "import.meta.vitest"
_NEAR = 12  # lines between a test's marks and its code


@dataclass(frozen=True, slots=True)
class _Place:
    setting: Setting
    spot: Spot
    strategy: str


class JavaScriptTarget:
    """One file's outline and what its framework makes of it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def has_tests(self) -> bool:
        return bool(self._layout.outermost)

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(notices.file_notices(self._layout))

    def plan(self, red_test: RedTest) -> Plan:
        """Raises InvalidTestCode, and TargetRefused where another runner runs the file."""
        self._refuse_other_runner()
        test = JavaScriptTest.of(red_test)
        if there := self._already_there(test):
            return there
        test = test.in_style(self._layout)
        if there := self._already_there(test):
            return there
        test, place = self._choose(test)
        return self._plan_at(test, place)

    def plan_append(self, red_test: RedTest) -> Plan:
        self._refuse_other_runner()
        spot = spots.end_of_file(self._layout)
        test = JavaScriptTest.of(red_test).in_style(self._layout)
        return self._plan_at(test, _Place(self._setting(None), spot, "append"))

    def has(self, plan: Plan, span: Span) -> bool:
        container = self._layout.root
        calls = self._layout.tests if not plan.parent else []
        groups = [each for each in self._layout.groups if each.parent is None] if not plan.parent else []
        for group in self._layout.groups if plan.parent else ():
            body = group.body
            if body.start_byte < span.start and span.end < body.end_byte and group.path == plan.parent:
                container, calls, groups = body, group.tests, group.groups
        standing = [*calls, *(group.call for group in groups)]
        standing += [
            each
            for each in self._layout.others
            if span.start <= each.statement.start_byte < span.end and each.statement.parent == container
        ]
        titles = [
            self._layout.text(each.title_node) if each.title_node else ""
            for each in standing
            if span.start <= each.statement.start_byte and each.statement.end_byte <= span.end
        ]
        return all(titles.count(name) >= plan.names.count(name) for name in plan.names)

    def _refuse_other_runner(self) -> None:
        layout = self._layout
        if any(
            (condition := node.child_by_field_name("condition")) and _IN_SOURCE in layout.text(condition)
            for node in layout.root.named_children
            if node.type == "if_statement"
        ):
            raise TargetRefused("the file is a module with its own tests in it, in `import.meta.vitest`")
        if layout.other_runner and not layout.outermost:
            raise TargetRefused(
                f"the file's tests are run by {layout.other_runner}, not by {layout.dialect.name}"
            )

    def _setting(self, group: Group | None, new_group: str = "") -> Setting:
        return Setting(self._layout, Habits(self._layout, group), group, new_group)

    def _choose(self, test: JavaScriptTest) -> tuple[JavaScriptTest, _Place]:
        layout = self._layout
        affinity = Affinity(layout, test.red_test, test.snippet.free)
        candidates = [group for group in layout.groups if group.runs]
        scores = {id(group): affinity.of(group) for group in candidates}
        if len(candidates) > 1:
            best_few = sorted(candidates, key=lambda each: -scores[id(each)])[:_NEAR]
            for group in best_few:
                scores[id(group)] += affinity.declares(group, test.snippet.free)
        best = max(
            candidates, key=lambda each: (scores[id(each)], -each.depth, bool(each.tests)), default=None
        )
        if best is not None and layout.tests and scores[id(best)] < _ENOUGH:
            best = None
        if best is not None:
            return _unwrapped(test, best), self._in_group(best)
        return test, self._at_top()

    def _in_group(self, group: Group) -> _Place:
        anchor, strategy = _last_of(group)
        return _Place(self._setting(group), spots.in_group(self._layout, group, anchor), strategy)

    def _at_top(self) -> _Place:
        layout = self._layout
        if layout.tests:
            last = layout.tests[-1]
            return _Place(self._setting(None), spots.at_top(layout, last.statement), _behind(last))
        setting = self._setting(None, _NEW_GROUP)
        if layout.outermost:
            return _Place(setting, spots.at_top(layout, layout.outermost[-1]), "after_last_group")
        return _Place(setting, spots.end_of_file(layout), "end_of_file")

    def _plan_at(self, test: JavaScriptTest, place: _Place) -> Plan:
        layout, document, setting = self._layout, self._layout.document, place.setting
        written = test.write(setting)
        lines = written.lines
        if not setting.habits.semicolon and spots.needs_semicolon(document, place.spot):
            lines = [*lines[:-1], replace(lines[-1], text=lines[-1].text + ";")]
        text = writing.rendered(lines, place.spot.prefix, layout.unit, document.eol.decode())
        main = spots.splice_at(document, place.spot, text)
        splices = [*self._head(written, setting), main]
        splices.sort(key=lambda splice: splice.offset)
        return Plan(
            strategy=place.strategy,
            parent=setting.group.path if setting.group else "",
            splices=tuple(splices),
            main=splices.index(main),
            names=tuple(written.titles),
            notices=tuple(written.notices),
        )

    def _head(self, written: Written, setting: Setting) -> list[Splice]:
        """What the test needs to be imported."""
        layout, habits = self._layout, setting.habits
        imports, found = list(written.imports), []
        if written.names:
            module = layout.dialect.module
            extended = layout.module_import and spots.more_names(layout, layout.module_import, written.names)
            if extended:
                found.append(extended)
            else:
                names = ", ".join(sorted(written.names))
                quoted = f"{habits.quote}{module}{habits.quote}"
                imports.insert(0, f"import {{ {names} }} from {quoted}{habits.semicolon}")
        statement = spots.import_splice(layout, list(dict.fromkeys(imports)))
        return [*found, *([statement] if statement else [])]

    def _already_there(self, test: JavaScriptTest) -> Plan | None:
        """The file's own copy of the test: the same lines under the same marks."""
        document = self._layout.document
        if test.marks[0].encode() not in document.content:
            return None
        rows = [row.strip() for row in re.split(rb"\r\n|\r|\n", document.content)]
        offsets = _starts(document)
        marks = [mark.encode() for mark in test.marks]
        codes = [test.code(Habits(self._layout, None).renames(test.snippet, self._layout))]
        if inner := _inner(test):
            codes.append(inner.code(Habits(self._layout, None).renames(inner.snippet, self._layout)))
        wanted = [_telling([line.text.strip().encode() for line in code], test) for code in codes]
        for row, text in enumerate(rows):
            if text != marks[0] or rows[row : row + len(marks)] != marks:
                continue
            start = row + len(marks)
            for code in wanted:
                for at in range(start, start + _NEAR):
                    if rows[at : at + len(code)] == code:
                        group = self._group_around(offsets[row])
                        path = group.path if group else ""
                        return Plan("already_present", parent=path, existing=offsets[row])
        return None

    def _group_around(self, offset: int) -> Group | None:
        found = None
        for group in self._layout.groups:
            if group.body.start_byte <= offset < group.body.end_byte:
                found = group
        return found


def _telling(rows: list[bytes], test: JavaScriptTest) -> list[bytes]:
    """The rows to look for: tests that came later may stand before the end of a group's code."""
    if any(call.is_group for call in test.snippet.calls):
        while len(rows) > 1 and not rows[-1].strip(b"});"):
            rows = rows[:-1]
    return rows


def _starts(document: Document) -> list[int]:
    return [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", document.content))]


def _last_of(group: Group) -> tuple[Node | None, str]:
    """The statement of the group that a test goes behind, and what that is called."""
    if group.tests:
        return group.tests[-1].statement, _behind(group.tests[-1])
    if group.groups:
        return group.groups[-1].call.statement, "after_last_group"
    return group.last, "inside_describe"


def _behind(call: Call) -> str:
    return "after_last_test" if call.function.rpartition(".")[2] == "test" else "after_last_it_block"


def _inner(test: JavaScriptTest) -> JavaScriptTest | None:
    """The tests of the only group that the code has."""
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
    """A group that the file has already takes the tests of the code's own of that title."""
    inner = _inner(test)
    if inner is None:
        return test
    title = test.snippet.calls[0].title_node
    text = text_of(test.snippet.document, title)[1:-1] if title else ""
    return inner if text == group.title or text.lower() == group.title.lower() == _NEW_GROUP else test
