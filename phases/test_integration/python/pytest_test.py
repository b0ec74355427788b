"""A red test as pytest would have it: what it needs of its place, and its text for that place."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.insertion import Notice
from phases.test_integration.python import collected, whole_tests, writing
from phases.test_integration.python.edits import Style
from phases.test_integration.python.layout import Class, Function, Layout
from phases.test_integration.python.snippet import (
    DEFINITIONS,
    Definition,
    Snippet,
    check,
    indented,
    names_in,
    renamed,
)
from phases.test_integration.python.unbound import unbound
from phases.test_integration.red_tests import RedTest

_ASYNC_MARK = re.compile(r"(?:\w+\.)*mark\.(?:asyncio|anyio|trio)\b")
_ASYNC_MARK_WITHIN = re.compile(r"mark\.(?:asyncio|anyio|trio)\b")
_TEST_CASE_METHOD = re.compile(r"assert\w*|fail|subTest|skipTest|addCleanup")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a test is to stand: in `group`, in a new class under the header `wraps`, or in neither.

    `only_test_cases` says that whatever stands here is a `unittest.TestCase`'s.
    """

    layout: Layout
    fixtures: collected.Fixtures
    group: Class | None = None
    wraps: str = ""
    only_test_cases: bool = False

    @property
    def is_class(self) -> bool:
        return self.group is not None or bool(self.wraps)

    @property
    def is_test_case(self) -> bool:
        return (
            self.only_test_cases
            or (self.group is not None and collected.is_test_case(self.layout, self.group))
            or "(" in self.wraps
        )


@dataclass(frozen=True, slots=True)
class Written:
    """A test's text, in the first column; `names` are what it defines at its place."""

    text: str
    names: tuple[str, ...]
    imports: tuple[str, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class PytestTest:
    """A red test whose code has been read."""

    red_test: RedTest
    snippet: Snippet

    @classmethod
    def of(cls, red_test: RedTest) -> PytestTest:
        """Raises InvalidTestCode."""
        test = cls(red_test, Snippet.of(red_test.code))
        loose = [each for each in test.snippet.tests if isinstance(each, DEFINITIONS)]
        if loose and not test.fits_a_class and any(_reads_self(each) for each in loose):
            raise InvalidTestCode(
                "testCode reads self outside of a class and has helpers beside: make it a class"
            )
        return test

    @cached_property
    def marks(self) -> list[str]:
        return writing.marks(self.red_test)

    @property
    def is_body(self) -> bool:
        return not self.snippet.tests

    @cached_property
    def is_async(self) -> bool:
        functions = self.snippet.tests
        return (
            self.snippet.awaits
            if self.is_body
            else any(isinstance(each, ast.AsyncFunctionDef) for each in functions)
        )

    @property
    def uses_self(self) -> bool:
        return bool(self.snippet.self_attributes) or "self" in self.snippet.free_names

    @cached_property
    def needs_test_case(self) -> bool:
        return any(map(_TEST_CASE_METHOD.fullmatch, self.snippet.self_attributes))

    @cached_property
    def fits_a_class(self) -> bool:
        """Whether it is nothing but functions, which may as well be methods."""
        if self.is_body:
            return True
        bound = whole_tests.bound_names(self.snippet)
        return bound == {each.name for each in self.snippet.tests if isinstance(each, DEFINITIONS)}

    def fixtures(self, setting: Setting) -> list[str]:
        """What the test takes as parameters besides `self`."""
        if setting.is_test_case:
            return []
        if not self.is_body:
            return [
                name
                for each in self.snippet.tests
                if isinstance(each, DEFINITIONS)
                for name in _parameters(each)
            ]
        known = setting.fixtures.known_to(setting.group)
        assumed = collected.PLUGIN_FIXTURES - setting.layout.names
        return [name for name in self.snippet.free_names if name in known or name in assumed]

    def write(self, setting: Setting, *, keep_names: bool = False) -> Written:
        """The test's text for its setting; `keep_names` gives it without making names unique.

        Raises InvalidTestCode.
        """
        decorators, notices = self._async_mark(setting)
        fixtures = self.fixtures(setting)
        taken = () if keep_names else _taken(setting)
        if self.is_body:
            text, names, imports = self._write_body(setting, taken, fixtures, decorators)
        else:
            whole = self._write_whole(setting, taken, decorators)
            text, names, imports = whole.block, whole.names, whole.imports
            notices += whole.notices
        if self._lacks_pytest(setting, decorators, imports):
            imports = ["import pytest", *imports]
        if setting.only_test_cases and "import pytest" in imports:
            message = "the file now imports pytest: if that is missing, none of it runs"
            notices.append(Notice("import_added", message))
        if setting.wraps:
            name = setting.wraps.removeprefix("class ").partition("(")[0].rstrip(":")
            text, names = f"{setting.wraps}\n{indented(text, writing.INDENT)}", (name,)
        check(text)
        notices += self._name_notices(setting, fixtures)
        return Written(text, tuple(names), tuple(imports), tuple(notices))

    def fingerprints(self, text: str) -> list[str]:
        """Those of the tests in this text."""
        return [writing.fingerprint(each) for each in _test_functions(Snippet.of(text))]

    def _write_body(
        self, setting: Setting, taken: Collection[str], fixtures: Sequence[str], decorators: Sequence[str]
    ) -> tuple[str, tuple[str, ...], list[str]]:
        name = writing.unique(writing.function_name(self.red_test), taken)
        parameters = [*(["self"] if setting.is_class else []), *fixtures]
        text = writing.function(
            name, parameters, self.marks, self.snippet.code, is_async=self.is_async, decorators=decorators
        )
        return text, (name,), []

    def _write_whole(
        self, setting: Setting, taken: Collection[str], decorators: Sequence[str]
    ) -> whole_tests.WholeTests:
        new_names: dict[str, str] = {}
        for name in sorted(whole_tests.bound_names(self.snippet)):
            is_lone = any(isinstance(each, DEFINITIONS) and each.name == name for each in self.snippet.tests)
            wanted = name if name.startswith("test") or not is_lone else f"test_security_{name}"
            if (new := writing.unique(wanted, {*taken, *new_names.values()})) != name:
                new_names[name] = new
        snippet = Snippet.of(renamed(self.snippet.code, new_names)) if new_names else self.snippet
        asynchronous = [each for each in _test_functions(snippet) if isinstance(each, ast.AsyncFunctionDef)]
        style = Style(
            marks=self.marks,
            decorators={each.name: decorators for each in asynchronous if not _is_marked(each)},
            adds_self=setting.is_class,
            drops_self=not setting.is_class,
        )
        return whole_tests.fit(snippet, style, setting.layout.origins)

    def _async_mark(self, setting: Setting) -> tuple[list[str], list[Notice]]:
        """The decorator that makes the file's async tests run, as they have it."""
        if not self.is_async or setting.is_test_case or _all_are_marked(setting):
            return [], []
        siblings = [
            *(setting.group.functions if setting.group else ()),
            *setting.layout.functions,
            *(each for other in setting.layout.classes for each in other.functions),
        ]
        asynchronous = [each for each in collected.tests_of(siblings) if each.is_async]
        for sibling in asynchronous:
            for decorator in filter(_ASYNC_MARK.match, sibling.decorators):
                return [decorator], []
        if asynchronous:
            return [], []
        message = "the file has no async test to follow; this one needs pytest-asyncio"
        return [f"{_pytest_name(setting.layout)}.mark.asyncio"], [Notice("async_plugin_assumed", message)]

    def _lacks_pytest(self, setting: Setting, decorators: Sequence[str], imports: Sequence[str]) -> bool:
        if "pytest" in setting.layout.names or "import pytest" in imports:
            return False
        return "pytest" in self.snippet.free_names or any(each.startswith("pytest.") for each in decorators)

    def _name_notices(self, setting: Setting, fixtures: Sequence[str]) -> list[Notice]:
        notices = []
        known = setting.fixtures.known_to(setting.group)
        for name in fixtures if self.is_body else ():
            if name not in known:
                message = f"`{name}` is taken to be a fixture that is defined outside this file"
                notices.append(Notice("fixture_assumed", message))
        given = {*fixtures, "pytest", *(["self"] if setting.is_class else [])}
        if setting.only_test_cases:
            given.add("unittest")
        for name in unbound(self.snippet.free_names, setting.layout, given):
            notices.append(Notice("unbound_name", f"nothing binds `{name}`, which the test reads"))
        return notices


def _taken(setting: Setting) -> set[str]:
    layout = setting.layout
    methods = {name for group in layout.classes for name in group.names}
    return layout.names | methods | setting.fixtures.known_to(setting.group)


def _test_functions(snippet: Snippet) -> list[Definition]:
    found: list[Definition] = []
    for node in snippet.tests:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        found += [
            each
            for each in inner
            if isinstance(each, DEFINITIONS) and (each is node or each.name.startswith("test"))
        ]
    return found


def _reads_self(function: Definition) -> bool:
    return any(name.id == "self" for name in names_in([function]))


def _parameters(function: Definition) -> list[str]:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [argument.arg for argument in arguments if argument.arg != "self"]


def _is_marked(function: ast.AsyncFunctionDef) -> bool:
    return any(_ASYNC_MARK.match(ast.unparse(each)) for each in function.decorator_list)


def _all_are_marked(setting: Setting) -> bool:
    """Whether the file or the class marks all of its tests as async ones."""
    statements = [text for _, text in setting.layout.statements]
    decorators: tuple[str, ...] = ()
    if setting.group:
        statements += setting.group.statements
        decorators = setting.group.decorators
    marks = [text.partition("=")[2].strip(" [(") for text in statements if text.startswith("pytestmark")]
    return any(_ASYNC_MARK_WITHIN.search(text) for text in (*marks, *decorators))


def _pytest_name(layout: Layout) -> str:
    return next((name for name, origin in layout.origins.items() if origin == "pytest"), "pytest")


def functions_of(layout: Layout) -> list[tuple[Function, Class | None]]:
    """Every function of the file's top level and of its classes."""
    methods = [(function, group) for group in layout.classes for function in group.functions]
    return [*((function, None) for function in layout.functions), *methods]
