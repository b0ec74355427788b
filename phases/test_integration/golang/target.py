"""A Go test file as a target: where in it a test goes, and whether the test is there already."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from phases.test_integration.document import Document, Span, Splice
from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.golang import imports as go_imports
from phases.test_integration.golang import writing
from phases.test_integration.golang.layout import Function, Layout
from phases.test_integration.golang.snippet import Snippet, fingerprint, rows_in_strings
from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.red_tests import RedTest
from phases.test_integration.spots import Spot, splice_at
from phases.test_integration.words import split_extension, split_path, words_of

_BUILD = re.compile(rb"^//\s*(?:go:build|\+build)\s+(.*)$", re.MULTILINE)
_SKIPPING = re.compile(r"\.(?:Skip|Skipf|SkipNow)\(")
_HOOKS = frozenset({"init", "TestMain", "main"})
_HEAD = ("package_clause", "import_declaration")
_GROUP = "TestSecurity"
_GAP = 1  # empty lines around a function


@dataclass(frozen=True, slots=True)
class _Place:
    """`suite` is a method of the suite to stand beside, `group` the function whose subtest it becomes."""

    spot: Spot
    strategy: str
    suite: Function | None = None
    group: Function | None = None

    @property
    def parent(self) -> str:
        return self.group.name if self.group else self.suite.type_name if self.suite else ""


@dataclass(frozen=True, slots=True)
class _Written:
    text: str
    names: tuple[str, ...]
    imports: tuple[tuple[str, str], ...]
    notices: tuple[Notice, ...]


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
            red_test, snippet, self._choose(red_test, snippet)
        )

    def plan_append(self, red_test: RedTest) -> Plan:
        place = _Place(Spot(len(self._layout.document.content), "", _GAP), "append")
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
                    for call, name in _subtests(self._layout, each)
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
        return snippet

    # Where it goes

    def _choose(self, red_test: RedTest, snippet: Snippet) -> _Place:
        document = self._layout.document
        if snippet.is_body:
            if suite := self._suite_for(red_test, snippet):
                return _Place(_behind(document, suite.node), "after_last_method", suite=suite)
            for function in self._layout.tests:
                if function.name == _GROUP and (last := _last_subtest(self._layout, function)):
                    return _Place(_behind(document, last), "inside_group", group=function)
        tests = self._layout.tests
        if tests:
            last_test = max(tests, key=lambda each: each.node.end_byte)
            return _Place(_behind(document, last_test.node), "after_last_test")
        return _Place(Spot(len(document.content), "", _GAP), "end_of_file")

    def _suite_for(self, red_test: RedTest, snippet: Snippet) -> Function | None:
        """The last test of the suite whose value the test reads, of several the one of the best name."""
        read = {name for name in snippet.used if name not in snippet.declared | self._layout.names}
        methods = [
            each
            for each in self._layout.tests
            if each.type_name and each.receiver in read and each.receiver not in self._layout.imported
        ]
        if not methods:
            return None
        skipped = {
            each.type_name
            for each in self._layout.functions
            if each.name in ("SetupSuite", "SetupTest", "BeforeTest")
            and _SKIPPING.search(self._layout.text(each.node))
        }
        methods = [each for each in methods if each.type_name not in skipped] or methods
        about = set(words_of(split_extension(split_path(red_test.vulnerable_file)[1])[0]))
        about |= set(words_of(red_test.name)) | {"security"}
        best = max(methods, key=lambda each: len(about & set(words_of(each.type_name)))).type_name
        return max((each for each in methods if each.type_name == best), key=lambda each: each.node.end_byte)

    # What is there

    def _already_there(self, red_test: RedTest, snippet: Snippet) -> Plan | None:
        """The file's own copy of the test: the same statements under the same marks."""
        mark = writing.marks(red_test)[0]
        if mark.encode() not in self._layout.document.content:
            return None
        snippet, _ = self._bind(snippet)
        wanted = [
            fingerprint(snippet.layout, each.body)
            for each in snippet.layout.functions
            if each.body is not None and (snippet.is_body or each in _tests_of(snippet))
        ]
        there: dict[str, tuple[Node, str]] = {}
        for function in self._layout.functions:
            if function.body is None or mark not in self._layout.text(function.node):
                continue
            bodies = [(function.body, function.type_name)]
            bodies += [(body, function.name) for _, body in _subtest_bodies(self._layout, function)]
            for body, parent in bodies:
                if _has_line(self._layout.text(body), mark):
                    node = body if parent == function.name else function.node
                    there.setdefault(fingerprint(self._layout, body), (node, parent))
        if not wanted or not all(each in there for each in wanted):
            return None
        node, parent = there[wanted[0]]
        return Plan(strategy="already_present", parent=parent, existing=node.start_byte)

    # How it is written

    def _plan_at(self, red_test: RedTest, snippet: Snippet, place: _Place) -> Plan:
        layout = self._layout
        document = layout.document
        written = self._write(red_test, snippet, place)
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

    def _write(self, red_test: RedTest, snippet: Snippet, place: _Place) -> _Written:
        snippet, new_imports = self._bind(snippet)
        marks = writing.marks(red_test)
        if snippet.is_body:
            text, name, parameter = self._write_body(red_test, snippet, place, marks)
            names: tuple[str, ...] = (name,)
            if parameter:
                new_imports |= self._testing()
        else:
            text, names = self._write_whole(snippet, marks)
            parameter = ""
        notices = self._name_notices(snippet, place, {parameter, *new_imports})
        return _Written(text, names, tuple((name, path) for name, path in new_imports.items()), notices)

    def _write_body(
        self, red_test: RedTest, snippet: Snippet, place: _Place, marks: list[str]
    ) -> tuple[str, str, str]:
        """The text, the name, and what the test calls its `*testing.T`, empty for a suite's method."""
        offset = 3  # the lines before the body in the snippet's file
        protected = {row - offset for row in rows_in_strings(snippet.layout)}
        name = writing.unique(writing.function_name(red_test.name), self._taken)
        if place.suite is not None:
            receiver = self._layout.text(place.suite.node).partition(")")[0].removeprefix("func").strip()
            header = f"func {receiver}) {name}() {{"
            return writing.block(header, marks, snippet.code, protected), name, ""
        parameter = self._parameter(snippet)
        kind = f"{parameter} *{self._testing_name}T"
        if place.group is not None:
            title = writing.string(red_test.name)
            margin = self._layout.document.indent_at(place.spot.offset - 1).decode() or "\t"
            taken = {each for _, each in _subtests(self._layout, place.group)}
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

    def _write_whole(self, snippet: Snippet, marks: list[str]) -> tuple[str, tuple[str, ...]]:
        tests = _tests_of(snippet)
        new_names: dict[str, str] = {}
        bound = snippet.layout.names | {each.name for each in tests}
        for name in sorted(bound):
            is_lone = any(each.name == name and not each.is_test for each in tests)
            wanted = writing.function_name(name) if is_lone else name
            if (new := writing.unique(wanted, {*self._taken, *new_names.values()})) != name:
                new_names[name] = new
        chosen = [new_names.get(each.name, each.name) for each in tests]
        snippet = snippet.renamed(new_names)
        layout = snippet.layout
        source = layout.document.content
        pieces: list[bytes] = []
        head = [node for node in layout.root.named_children if node.type in _HEAD]
        start = max((node.end_byte for node in head), default=0)
        kept = [node for node in layout.root.named_children if node.start_byte >= start and node not in head]
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
        names = tuple(each.name for each in layout.functions)
        return b"".join(pieces).decode().strip("\n"), names

    def _bind(self, snippet: Snippet) -> tuple[Snippet, dict[str, str]]:
        """The snippet and what must be imported for it: of its own imports, and of what it reads."""
        imported = self._layout.imported
        by_path = {path: name for name, path in imported.items() if name not in (".", "_")}
        own = dict(snippet.imports)
        aliases: dict[str, str] = {}
        new: dict[str, str] = {}
        for name, path in own.items():
            if name == ".":
                raise InvalidTestCode("testCode imports everything of a package: name what the test needs")
            if name != "_" and name not in snippet.packages:
                continue
            bound = by_path.get(path)
            if bound is not None and name != "_":
                if bound != name:
                    aliases[name] = bound
            elif name in imported or name in self._layout.names:
                alias = writing.unique(f"{name}_2", {*imported, *self._layout.names, *snippet.used})
                aliases[name], new[alias] = alias, path
            elif imported.get(name) != path:
                new[name] = path
        for name in snippet.packages:
            if name in own or name in imported or name in self._layout.names or name in snippet.declared:
                continue
            habit = self._habit(name)
            if habit in by_path:
                aliases[name] = by_path[habit]
            elif habit is not None:
                new[name] = habit
        return snippet.renamed(aliases), new

    def _habit(self, name: str) -> str | None:
        """The package that such a name stands for: the standard library's, or testify where it is used."""
        if name in ("assert", "require"):
            used = any(path.startswith(go_imports.TESTIFY) for path in self._layout.imported.values())
            return go_imports.TESTIFY + name if used else None
        # A package that imports itself would not be compiled.
        return go_imports.STANDARD.get(name) if name != self._layout.package_name else None

    def _testing(self) -> dict[str, str]:
        bound = self._layout.package_name == "testing" or "testing" in self._layout.imported.values()
        return {} if bound else {"testing": "testing"}

    @property
    def _testing_name(self) -> str:
        names = [name for name, path in self._layout.imported.items() if path == "testing"]
        if self._layout.package_name == "testing" and not names:
            return ""
        return "" if names == ["."] else f"{names[0]}." if names else "testing."

    def _parameter(self, snippet: Snippet) -> str:
        """What the file calls its `*testing.T`, unless the test reads `t` and means it."""
        used = [each.parameter for each in self._layout.tests if each.parameter]
        habit = max(dict.fromkeys(used), key=used.count, default="t")
        free = set(snippet.used) - snippet.declared - self._layout.names
        return habit if habit in free or "t" not in free else "t"

    @cached_property
    def _taken(self) -> Collection[str]:
        return (
            self._layout.names | {each.name for each in self._layout.functions} | set(self._layout.imported)
        )

    def _name_notices(self, snippet: Snippet, place: _Place, given: Collection[str]) -> tuple[Notice, ...]:
        imported = self._layout.imported
        if "." in imported:
            return ()
        known = {*given, *imported, *self._layout.names}
        if place.suite:
            known.add(place.suite.receiver)
        names = [name for name in snippet.packages if name not in known]
        if self._layout.package_name.endswith("_test"):
            # Elsewhere another file of the package may bind them, and mostly does: they are what is tested.
            names += [name for name in snippet.free if name not in known]
        return tuple(
            Notice("unbound_name", f"nothing in this file binds `{name}`, which the test reads")
            for name in dict.fromkeys(names)
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


def _tests_of(snippet: Snippet) -> list[Function]:
    """The snippet's tests; where nothing is called one, its last function."""
    functions = snippet.layout.functions
    tests = [each for each in functions if each.is_test]
    tests = tests or [each for each in functions if each.parameter][-1:]
    if not tests:
        raise InvalidTestCode("testCode has no test: a function that takes *testing.T")
    return tests


def _has_line(text: str, mark: str) -> bool:
    return mark in {line.strip() for line in text.split("\n")}


def _behind(document: Document, node: Node) -> Spot:
    return Spot(document.next_line(node.end_byte), "", _GAP)


def _subtest_calls(layout: Layout, function: Function) -> Iterator[tuple[Node, Node, Node]]:
    """The statement, name and function of each `t.Run("...", func...)` directly in the body."""
    body = function.body
    if body is None:
        return
    for outer in body.named_children:
        statements = outer.named_children if outer.type == "statement_list" else [outer]
        for statement in statements:
            call = statement
            if call.type == "expression_statement" and call.named_children:
                call = call.named_children[0]
            called = call.child_by_field_name("function")
            arguments = call.child_by_field_name("arguments")
            if call.type != "call_expression" or called is None or arguments is None:
                continue
            given = arguments.named_children
            if layout.text(called) == f"{function.parameter}.Run" and len(given) == 2:
                yield statement, given[0], given[1]


def _subtests(layout: Layout, function: Function) -> Iterator[tuple[Node, str]]:
    for statement, name, _ in _subtest_calls(layout, function):
        yield statement, layout.text(name)


def _subtest_bodies(layout: Layout, function: Function) -> Iterator[tuple[Node, Node]]:
    for statement, _, literal in _subtest_calls(layout, function):
        body = literal.child_by_field_name("body")
        if body is not None:
            yield statement, body


def _last_subtest(layout: Layout, function: Function) -> Node | None:
    """The last statement of a function that does nothing but run subtests, each on lines of its own."""
    body = function.body
    if body is None or _SKIPPING.search(layout.text(body).partition(".Run(")[0]):
        return None
    statements = [node for node, _, _ in _subtest_calls(layout, function)]
    if not statements or statements[-1].end_point.row >= body.end_point.row:
        return None
    return statements[-1] if statements[-1].start_point.row > body.start_point.row else None


def _package_of(vulnerable_file: str) -> str:
    directories, _ = split_path(vulnerable_file)
    name = re.sub(r"[^a-z0-9_]", "", directories[-1].lower()) if directories else ""
    return name if name[:1].isalpha() else "main"
