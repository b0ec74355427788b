"""A red test as JavaScript's frameworks would have it: its text for the place where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.insertion import Notice
from phases.test_integration.javascript import matchers, writing
from phases.test_integration.javascript.bindings import Import, text_of
from phases.test_integration.javascript.dialect import FRAMEWORK_MODULES
from phases.test_integration.javascript.globals import BUILTINS
from phases.test_integration.javascript.habits import Habits
from phases.test_integration.javascript.layout import Group, Layout
from phases.test_integration.javascript.snippet import Snippet
from phases.test_integration.javascript.spots import CONTINUES
from phases.test_integration.javascript.writing import Line
from phases.test_integration.red_tests import RedTest

_CHAI = frozenset({"expect", "assert"})
_NODE_ASSERT = "assert"
_MOST_NOTICES = 20


@dataclass(slots=True)
class Setting:
    """Where the test is to stand: in `group`, or at the top level; in a new group if it has a `new_group`."""

    layout: Layout
    habits: Habits
    group: Group | None = None
    new_group: str = ""


@dataclass(slots=True)
class Written:
    """A test's lines; `titles` are the strings, as written, of what stands at its place.

    `names` are to be imported from the framework's module, `imports` are statements for the file's head.
    """

    lines: list[Line] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    prelude: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def needs(self, name: str) -> None:
        if name not in self.names:
            self.names.append(name)


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
        for (start, end), text in sorted(edits.items(), reverse=True):
            source = source[:start] + text.encode() + source[end:]
        edited = Snippet.of(source.decode()) if edits else snippet
        lines = writing.code_lines(edited.code, edited.fixed_rows())
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
        self._bind_imports(setting, written, scope, renames)
        if self.snippet.is_body:
            self._write_body(setting, written, scope, renames)
        else:
            self._write_whole(setting, written, renames)
        self._bind_names(setting, written, scope, renames)
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

    def _bind_imports(
        self, setting: Setting, written: Written, scope: set[str], renames: Mapping[str, str]
    ) -> None:
        layout = setting.layout
        origins = {
            name: (each.source, imported) for each in layout.imports for name, imported in each.names.items()
        }
        semicolon = setting.habits.semicolon
        for each in self.snippet.imports:
            names = {
                name: imported
                for name, imported in each.names.items()
                if origins.get(name) != (each.source, imported)
            }
            if each.names and not names:
                continue
            if each.source in FRAMEWORK_MODULES and all(name == what for name, what in names.items()):
                for name in names:
                    if name in self.snippet.free and name not in renames:
                        self._bind(setting, written, scope, name)
            elif (
                each.is_type
                or not self.snippet.is_body
                or ("done" in self.snippet.free and not layout.is_common_js)
            ):
                self._bind_statically(setting, written, each, names, scope)
            else:
                written.prelude.append(
                    _loaded(each, names, layout.is_common_js, setting.habits.quote) + semicolon
                )

    def _bind_statically(
        self, setting: Setting, written: Written, found: Import, names: dict[str, str], scope: set[str]
    ) -> None:
        for name in names:
            if name in scope:
                raise InvalidTestCode(f"testCode imports {name}, which the file uses for something else")
        if setting.layout.is_common_js and not found.is_type and found.source not in FRAMEWORK_MODULES:
            text = _loaded(found, names, True, setting.habits.quote)
        else:
            text = _statement(found, names, setting.habits.quote)
        written.imports.append(text + setting.habits.semicolon)
        if not found.is_type and not found.source.startswith("node:"):
            message = f"the file now imports {found.source[:100]}: if that is missing, none of it runs"
            written.notices.append(Notice("import_added", message))

    def _bind_names(
        self, setting: Setting, written: Written, scope: set[str], renames: Mapping[str, str]
    ) -> None:
        imported = {name for each in self.snippet.imports for name in each.names}
        needed = [name for name in written.names if name not in scope]
        written.names = []
        for name in needed:
            self._bind(setting, written, scope, name)
        given = {"done"} if self.snippet.is_body else set()
        given |= imported | renames.keys()
        for name in self.snippet.free:
            if name not in given:
                self._bind(setting, written, scope, name)
        for new in renames.values():
            self._bind(setting, written, scope, new.partition(".")[0])

    def _bind(self, setting: Setting, written: Written, scope: set[str], name: str) -> None:
        """Sees that the name is bound, as the file's own habits would have it; tells where it is not."""
        layout, habits = setting.layout, setting.habits
        dialect = layout.dialect
        if name in scope or name in BUILTINS or name in habits.sibling_parameters:
            return
        if name in dialect.exports and habits.is_explicit:
            written.needs(name)
        elif name in dialect.exports or name in dialect.globals:
            return
        elif habits.chai and name in _CHAI:
            written.prelude.append(f"const {{ {name} }} = {habits.chai}{habits.semicolon}")
        elif name == _NODE_ASSERT:
            self._bind_assert(setting, written)
        elif not (name in _CHAI and name not in layout.bound and habits.reads(name)):
            message = f"nothing binds `{name[:80]}`, which the test reads"
            written.notices.append(Notice("unbound_name", message))

    def _bind_assert(self, setting: Setting, written: Written) -> None:
        quote, semicolon = setting.habits.quote, setting.habits.semicolon
        if not setting.layout.is_common_js:
            written.imports.append(f"import assert from {quote}node:assert{quote}{semicolon}")
        elif self.snippet.is_body:
            written.prelude.append(f"const assert = require({quote}node:assert{quote}){semicolon}")
        else:
            written.imports.append(f"const assert = require({quote}node:assert{quote}){semicolon}")


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


def _statement(found: Import, names: Mapping[str, str], quote: str) -> str:
    """An import of some of the names."""
    clauses = [name for name, what in names.items() if what == "default"]
    clauses += [f"* as {name}" for name, what in names.items() if what == "*"]
    inner = [
        name if name == what else f"{what} as {name}"
        for name, what in names.items()
        if what not in ("default", "*")
    ]
    if inner:
        clauses.append("{ " + ", ".join(inner) + " }")
    kind = "import type" if found.is_type else "import"
    taken = f"{', '.join(clauses)} from " if clauses else ""
    return f"{kind} {taken}{quote}{found.source}{quote}"


def _loaded(found: Import, names: Mapping[str, str], is_common_js: bool, quote: str) -> str:
    """The same within a function."""
    source = f"{quote}{found.source}{quote}"
    load = f"require({source})" if is_common_js or found.is_require else f"await import({source})"
    whole = next((name for name, what in names.items() if what == "*"), "")
    default = next((name for name, what in names.items() if what == "default"), "")
    rest = [(name, what) for name, what in names.items() if what not in ("*", "default")]
    if not names:
        return load
    if whole and not rest:
        return f"const {whole} = {load}"
    if default and is_common_js and not rest:
        return f"const {default} = {load}"
    pairs = ([("default", default)] if default else []) + [(what, name) for name, what in rest]
    inner = ", ".join(what if what == name else f"{what}: {name}" for what, name in pairs)
    return f"const {{ {inner} }} = {load}"
