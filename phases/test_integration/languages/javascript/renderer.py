"""Renders a red test for its place in a JavaScript file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.apply.edits import apply_edits
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.javascript import matchers, writing
from phases.test_integration.languages.javascript.binding import Binder
from phases.test_integration.languages.javascript.bindings import text_of
from phases.test_integration.languages.javascript.context import Context, RenderedTest
from phases.test_integration.languages.javascript.insertion_points import CONTINUES
from phases.test_integration.languages.javascript.outline import Outline
from phases.test_integration.languages.javascript.snippet import Snippet
from phases.test_integration.languages.javascript.writing import Line
from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.read.red_tests import RedTest

_MAX_WARNINGS = 20


@dataclass(frozen=True)
class JavaScriptTest:
    """A red test with its parsed code."""

    red_test: RedTest
    snippet: Snippet
    style_warnings: tuple[InsertionWarning, ...] = ()

    @classmethod
    def of(cls, red_test: RedTest) -> JavaScriptTest:
        """Raises InvalidTestCode."""
        test = cls(red_test, Snippet.of(red_test.code))
        if not test.snippet.is_body and test.snippet.awaits:
            raise InvalidTestCode("testCode awaits outside of its tests: do it in a hook or in the test")
        return test

    def in_style(self, outline: Outline) -> JavaScriptTest:
        """Return the test with its assertions in the file's style.

        Raises InvalidTestCode for types in a JavaScript file, which would not load with them.
        """
        if self.snippet.is_typescript and not outline.takes_types:
            raise InvalidTestCode("testCode has types, and the file is JavaScript")
        snippet, found = matchers.in_style(self.snippet, outline)
        return replace(self, snippet=snippet, style_warnings=found)

    @cached_property
    def markers(self) -> list[str]:
        return writing.markers(self.red_test)

    @cached_property
    def needs_group(self) -> bool:
        """Return whether the code has helpers beside its tests, which need a scope of their own."""
        return bool(self.snippet.calls and self.snippet.helpers)

    def code(self, renames: Mapping[str, str]) -> list[Line]:
        """Return the code without its imports, with the file's names for the framework's functions."""
        snippet = self.snippet
        source = snippet.document.content
        edits = {(each.node.start_byte, each.node.end_byte): "" for each in snippet.imports}
        for name, new in renames.items():
            for node in snippet.free.get(name, ()):
                if node.type == "identifier":
                    edits[node.start_byte, node.end_byte] = new
        # Last, because they replace a rename of the same node: `fit` becomes the file's name for `it`.
        for start, end, text in snippet.unfocused:
            edits[start, end] = renames.get(text, text)
        if edits:
            changes = ((start, end, text.encode()) for (start, end), text in edits.items())
            changed = Snippet.of(apply_edits(source, changes).decode())
        else:
            changed = snippet
        lines = writing.code_lines(changed.code, changed.fixed_rows())
        if function := snippet.only_functions:
            lines.append(Line(self._run(function)))
        return lines

    def _run(self, function: Node) -> str:
        """Return a call of the code's last function: as a body, functions alone would test nothing."""
        name, parameters = function.child_by_field_name("name"), function.child_by_field_name("parameters")
        if name is None or (parameters is not None and parameters.named_children):
            raise InvalidTestCode("testCode only has functions, and the last takes parameters")
        return f"return {text_of(self.snippet.document, name)}();"

    def render(self, context: Context) -> RenderedTest:
        """Return the test's text. Raises InvalidTestCode where an import would rebind a name of the file."""
        rendered = RenderedTest()
        renames = context.style.renames(self.snippet, context.outline)
        scope = context.outline.scope_names(context.group)
        binder = Binder(self.snippet, context, rendered, scope, renames)
        binder.bind_imports()
        if self.snippet.is_body:
            self._render_body(context, rendered, scope, renames)
        else:
            self._render_complete(context, rendered, renames)
        binder.bind_names()
        rendered.warnings = [*dict.fromkeys(rendered.warnings)][:_MAX_WARNINGS] + self._warnings()
        if self.snippet.is_body and rendered.prelude:
            self._insert_prelude(rendered)
        return rendered

    def _warnings(self) -> list[InsertionWarning]:
        warnings = [*self.style_warnings]
        if self.snippet.mocks:
            message = "testCode mocks a module, for the file's other tests too"
            warnings.append(InsertionWarning("mocks_for_whole_file", message))
        return warnings

    def _render_complete(self, context: Context, rendered: RenderedTest, renames: Mapping[str, str]) -> None:
        """Render complete tests, in a group of their own where they have helpers or lack the test's name."""
        code = self.code(renames)
        markers = [Line(marker) for marker in self.markers]
        if not (context.new_group or self.needs_group or self._lacks_name):
            rendered.lines = [*markers, *code]
            rendered.titles = [self._title(call.title_node) for call in self.snippet.calls]
            return
        title = context.new_group if context.new_group and not self._lacks_name else self.red_test.name
        self._group(context, rendered, title, [*markers, *code])
        for each in self.snippet.helpers:
            if each.type in ("lexical_declaration", "variable_declaration", "expression_statement"):
                text = text_of(self.snippet.document, each)
                if "require(" in text:
                    first = text.strip().partition("\n")[0][:100]
                    message = f"runs whenever the file is loaded, and could fail then: {first}"
                    rendered.warnings.append(InsertionWarning("runs_at_collection", message))

    @property
    def _lacks_name(self) -> bool:
        title = writing.literal(self.red_test.name, "'")[1:-1]
        return self.red_test.name not in self.snippet.code and title not in self.snippet.code

    def _title(self, node: object) -> str:
        return "" if node is None else text_of(self.snippet.document, node)  # type: ignore[arg-type]

    def _group(self, context: Context, rendered: RenderedTest, title: str, lines: list[Line]) -> None:
        style = context.style
        function = style.group_function
        used_names = {group.title for group in context.outline.groups if group.parent is context.group}
        text = writing.make_unique(title, used_names, style.quote)
        rendered.needs(function.partition(".")[0])
        opener = "() => {" if style.is_arrow else "function () {"
        rendered.lines = [
            Line(f"{function}({text}, {opener}"),
            *writing.deeper(lines),
            Line("})" + style.semicolon),
        ]
        rendered.titles = [text]

    def _render_body(
        self, context: Context, rendered: RenderedTest, scope: set[str], renames: Mapping[str, str]
    ) -> None:
        """Render a test around a body, with `async`, `done` or a promise as the body needs."""
        style, snippet = context.style, self.snippet
        siblings = context.group.tests if context.group else context.outline.tests
        used_names = {
            text_of(context.outline.document, each.title_node)[1:-1] for each in siblings if each.title_node
        }
        title = writing.make_unique(self.red_test.name, used_names, style.quote)
        uses_done = "done" in snippet.free and "done" not in scope
        is_async = snippet.awaits or any("await " in each for each in rendered.prelude)
        code = [*(Line(marker) for marker in self.markers), *self.code(renames)]
        parameters = style.parameters(snippet, scope)
        opener, closer = "{", "}"
        is_arrow = style.is_arrow and not snippet.uses_this
        # An async function takes no `done`, and some frameworks have none.
        if uses_done and (is_async or not context.outline.dialect.takes_done):
            opener, code = _as_promise(code, is_async, style.semicolon, snippet)
            closer, is_async = "})", False
            if not is_arrow:
                code = [Line(f"return {opener}"), *writing.deeper(code), Line(closer + style.semicolon)]
                opener, closer = "{", "}"
        elif uses_done:
            parameters = "done"
        head = f"({parameters}) => {opener}" if is_arrow else f"function ({parameters}) {opener}"
        function = style.test_function
        rendered.needs(function.partition(".")[0])
        lines = [
            Line(f"{function}({title}, {'async ' if is_async else ''}{head}"),
            *writing.deeper(code),
            Line(closer + ")" + style.semicolon),
        ]
        if context.new_group:
            self._group(context, rendered, context.new_group, lines)
        else:
            rendered.lines, rendered.titles = lines, [title]

    def _insert_prelude(self, rendered: RenderedTest) -> None:
        last = self.markers[-1]
        for row, line in enumerate(rendered.lines):
            if line.text == last:
                level = line.level
                new = [Line(each, level) for each in rendered.prelude]
                first = text_of(self.snippet.document, self.snippet.statements[0])[:1]
                # Without a semicolon, the test's first statement would continue the new line above it.
                if first in CONTINUES and not new[-1].text.endswith(";"):
                    new[-1] = Line(new[-1].text + ";", level)
                rendered.lines[row + 1 : row + 1] = new
                return


def _as_promise(code: list[Line], is_async: bool, semicolon: str, snippet: Snippet) -> tuple[str, list[Line]]:
    """Wrap a body with `done` in a promise, where it cannot be a parameter."""
    used_names = snippet.bound | snippet.free.keys()
    resolve, reject = (
        next(name for name in (word, f"{word}Test", f"_{word}", f"{word}_{word}") if name not in used_names)
        for word in ("resolve", "reject")
    )
    done = Line(f"const done = (error) => (error ? {reject}(error) : {resolve}());")
    if is_async:
        code = [Line("(async () => {"), *writing.deeper(code), Line(f"}})().catch({reject}){semicolon}")]
    return f"new Promise(({resolve}, {reject}) => {{", [done, *code]
