"""A red test as JavaScript's frameworks would have it: its text for the place where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.document import edited
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.insertion import Notice
from phases.test_integration.javascript import matchers, writing
from phases.test_integration.javascript.binder import Binder
from phases.test_integration.javascript.bindings import text_of
from phases.test_integration.javascript.layout import Layout
from phases.test_integration.javascript.setting import Setting, Written
from phases.test_integration.javascript.snippet import Snippet
from phases.test_integration.javascript.spots import CONTINUES
from phases.test_integration.javascript.writing import Line
from phases.test_integration.red_tests import RedTest

_MOST_NOTICES = 20


@dataclass(frozen=True)
class JavaScriptTest:
    """A red test whose code has been read."""

    red_test: RedTest
    snippet: Snippet
    style_notices: tuple[Notice, ...] = ()

    @classmethod
    def of(cls, red_test: RedTest) -> JavaScriptTest:
        """Raises InvalidTestCode."""
        test = cls(red_test, Snippet.of(red_test.code))
        if not test.snippet.is_body and test.snippet.awaits:
            raise InvalidTestCode("testCode awaits outside of its tests: do it in a hook or in the test")
        return test

    def in_style(self, layout: Layout) -> JavaScriptTest:
        """With its assertions written as the file writes its own.

        Raises InvalidTestCode for types in a file of JavaScript, which would not load with them.
        """
        if self.snippet.is_typescript and not layout.takes_types:
            raise InvalidTestCode("testCode has types, and the file is JavaScript")
        snippet, found = matchers.in_style(self.snippet, layout)
        return replace(self, snippet=snippet, style_notices=found)

    @cached_property
    def marks(self) -> list[str]:
        return writing.marks(self.red_test)

    @cached_property
    def needs_group(self) -> bool:
        """Whether it is more than tests: what stands beside them needs a scope of its own."""
        return bool(self.snippet.calls and self.snippet.helpers)

    def code(self, renames: Mapping[str, str]) -> list[Line]:
        """The code without its imports, with the framework's own names."""
        snippet = self.snippet
        source = snippet.document.content
        edits = {(each.node.start_byte, each.node.end_byte): "" for each in snippet.imports}
        for name, new in renames.items():
            for node in snippet.free.get(name, ()):
                if node.type == "identifier":
                    edits[node.start_byte, node.end_byte] = new
        for start, end, text in snippet.unfocused:
            edits[start, end] = renames.get(text, text)
        if edits:
            changes = ((start, end, text.encode()) for (start, end), text in edits.items())
            changed = Snippet.of(edited(source, changes).decode())
        else:
            changed = snippet
        lines = writing.code_lines(changed.code, changed.fixed_rows())
        if function := snippet.only_functions:
            lines.append(Line(self._run(function)))
        return lines

    def _run(self, function: Node) -> str:
        """Calls the code's last function; it has nothing else, and would test nothing as a body."""
        name, parameters = function.child_by_field_name("name"), function.child_by_field_name("parameters")
        if name is None or (parameters is not None and parameters.named_children):
            raise InvalidTestCode("testCode only has functions, and the last takes parameters")
        return f"return {text_of(self.snippet.document, name)}();"

    def write(self, setting: Setting) -> Written:
        """Raises InvalidTestCode where an import takes a name that the file uses for something else."""
        written = Written()
        renames = setting.habits.renames(self.snippet, setting.layout)
        scope = setting.layout.scope_names(setting.group)
        binder = Binder(self.snippet, setting, written, scope, renames)
        binder.bind_imports()
        if self.snippet.is_body:
            self._write_body(setting, written, scope, renames)
        else:
            self._write_whole(setting, written, renames)
        binder.bind_names()
        written.notices = [*dict.fromkeys(written.notices)][:_MOST_NOTICES] + self._notices()
        if self.snippet.is_body and written.prelude:
            self._insert_prelude(written)
        return written

    def _notices(self) -> list[Notice]:
        notices = [*self.style_notices]
        if self.snippet.mocks:
            message = "testCode mocks a module, for the file's other tests too"
            notices.append(Notice("mocks_for_whole_file", message))
        return notices

    def _write_whole(self, setting: Setting, written: Written, renames: Mapping[str, str]) -> None:
        code = self.code(renames)
        marks = [Line(mark) for mark in self.marks]
        if not (setting.new_group or self.needs_group or self._lacks_name):
            written.lines = [*marks, *code]
            written.titles = [self._title(call.title_node) for call in self.snippet.calls]
            return
        title = setting.new_group if setting.new_group and not self._lacks_name else self.red_test.name
        self._group(setting, written, title, [*marks, *code])
        for each in self.snippet.helpers:
            if each.type in ("lexical_declaration", "variable_declaration", "expression_statement"):
                text = text_of(self.snippet.document, each)
                if "require(" in text:
                    first = text.strip().partition("\n")[0][:100]
                    message = f"runs whenever the file is loaded, and could fail then: {first}"
                    written.notices.append(Notice("runs_at_collection", message))

    @property
    def _lacks_name(self) -> bool:
        title = writing.literal(self.red_test.name, "'")[1:-1]
        return self.red_test.name not in self.snippet.code and title not in self.snippet.code

    def _title(self, node: object) -> str:
        return "" if node is None else text_of(self.snippet.document, node)  # type: ignore[arg-type]

    def _group(self, setting: Setting, written: Written, title: str, lines: list[Line]) -> None:
        habits = setting.habits
        function = habits.group_function
        taken = {group.title for group in setting.layout.groups if group.parent is setting.group}
        text = writing.unique(title, taken, habits.quote)
        written.needs(function.partition(".")[0])
        opener = "() => {" if habits.is_arrow else "function () {"
        written.lines = [
            Line(f"{function}({text}, {opener}"),
            *writing.deeper(lines),
            Line("})" + habits.semicolon),
        ]
        written.titles = [text]

    def _write_body(
        self, setting: Setting, written: Written, scope: set[str], renames: Mapping[str, str]
    ) -> None:
        habits, snippet = setting.habits, self.snippet
        siblings = setting.group.tests if setting.group else setting.layout.tests
        taken = {
            text_of(setting.layout.document, each.title_node)[1:-1] for each in siblings if each.title_node
        }
        title = writing.unique(self.red_test.name, taken, habits.quote)
        uses_done = "done" in snippet.free and "done" not in scope
        is_async = snippet.awaits or any("await " in each for each in written.prelude)
        code = [*(Line(mark) for mark in self.marks), *self.code(renames)]
        parameters = habits.parameters(snippet, scope)
        opener, closer = "{", "}"
        is_arrow = habits.is_arrow and not snippet.uses_this
        if uses_done and (is_async or not setting.layout.dialect.takes_done):
            opener, code = _promised(code, is_async, habits.semicolon, snippet)
            closer, is_async = "})", False
            if not is_arrow:
                code = [Line(f"return {opener}"), *writing.deeper(code), Line(closer + habits.semicolon)]
                opener, closer = "{", "}"
        elif uses_done:
            parameters = "done"
        head = f"({parameters}) => {opener}" if is_arrow else f"function ({parameters}) {opener}"
        function = habits.test_function
        written.needs(function.partition(".")[0])
        lines = [
            Line(f"{function}({title}, {'async ' if is_async else ''}{head}"),
            *writing.deeper(code),
            Line(closer + ")" + habits.semicolon),
        ]
        if setting.new_group:
            self._group(setting, written, setting.new_group, lines)
        else:
            written.lines, written.titles = lines, [title]

    def _insert_prelude(self, written: Written) -> None:
        last = self.marks[-1]
        for row, line in enumerate(written.lines):
            if line.text == last:
                level = line.level
                new = [Line(each, level) for each in written.prelude]
                first = text_of(self.snippet.document, self.snippet.statements[0])[:1]
                if first in CONTINUES and not new[-1].text.endswith(";"):
                    new[-1] = Line(new[-1].text + ";", level)
                written.lines[row + 1 : row + 1] = new
                return


def _promised(code: list[Line], is_async: bool, semicolon: str, snippet: Snippet) -> tuple[str, list[Line]]:
    """The body of a test with `done`, for a framework or a body that cannot have it as a parameter."""
    taken = snippet.bound | snippet.free.keys()
    resolve, reject = (
        next(name for name in (word, f"{word}Test", f"_{word}", f"{word}_{word}") if name not in taken)
        for word in ("resolve", "reject")
    )
    done = Line(f"const done = (error) => (error ? {reject}(error) : {resolve}());")
    if is_async:
        code = [Line("(async () => {"), *writing.deeper(code), Line(f"}})().catch({reject}){semicolon}")]
    return f"new Promise(({resolve}, {reject}) => {{", [done, *code]
