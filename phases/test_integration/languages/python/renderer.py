"""Renders a red test for its place in a Python file."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.python import collection, complete_tests, writing
from phases.test_integration.languages.python.function_edits import EditOptions
from phases.test_integration.languages.python.outline import Class, Function, Outline
from phases.test_integration.languages.python.snippet import (
    DEFINITIONS,
    Definition,
    Snippet,
    check,
    indented,
    names_in,
    renamed,
)
from phases.test_integration.languages.python.unbound_names import unbound
from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.read.red_tests import RedTest

_ASYNC_MARK = re.compile(r"(?:\w+\.)*mark\.(?:asyncio|anyio|trio)\b")
_ASYNC_MARK_WITHIN = re.compile(r"mark\.(?:asyncio|anyio|trio)\b")
_TEST_CASE_METHOD = re.compile(r"assert\w*|fail|subTest|skipTest|addCleanup")


@dataclass(frozen=True, slots=True)
class Context:
    """Where a test goes: in `group`, in a new class with the header `wraps`, or in neither.

    With `only_test_cases` every class here is a `unittest.TestCase`.
    """

    outline: Outline
    fixtures: collection.Fixtures
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
            or (self.group is not None and collection.is_test_case(self.outline, self.group))
            or "(" in self.wraps
        )


@dataclass(frozen=True, slots=True)
class RenderedTest:
    """A rendered test without indentation; `names` are what it defines at its place."""

    text: str
    names: tuple[str, ...]
    imports: tuple[str, ...]
    warnings: tuple[InsertionWarning, ...]


@dataclass(frozen=True)
class PytestTest:
    """A red test with its parsed code."""

    red_test: RedTest
    snippet: Snippet

    @classmethod
    def of(cls, red_test: RedTest) -> PytestTest:
        """Raises InvalidTestCode."""
        test = cls(red_test, Snippet.of(red_test.code))
        lone_functions = [each for each in test.snippet.tests if isinstance(each, DEFINITIONS)]
        if lone_functions and not test.fits_in_class and any(_reads_self(each) for each in lone_functions):
            raise InvalidTestCode(
                "testCode reads self outside of a class and has helpers beside: make it a class"
            )
        return test

    @cached_property
    def markers(self) -> list[str]:
        return writing.markers(self.red_test)

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
    def fits_in_class(self) -> bool:
        """Return whether the code has only functions, which can become methods."""
        if self.is_body:
            return True
        bound = complete_tests.bound_names(self.snippet)
        return bound == {each.name for each in self.snippet.tests if isinstance(each, DEFINITIONS)}

    def fixtures(self, context: Context) -> list[str]:
        """Return the fixtures that the test takes as parameters."""
        if context.is_test_case:
            return []
        if not self.is_body:
            return [
                name
                for each in self.snippet.tests
                if isinstance(each, DEFINITIONS)
                for name in _parameters(each)
            ]
        known = context.fixtures.known_to(context.group)
        assumed = collection.PLUGIN_FIXTURES - context.outline.names
        return [name for name in self.snippet.free_names if name in known or name in assumed]

    def render(self, context: Context, *, keep_names: bool = False) -> RenderedTest:
        """Return the test's text for its context; `keep_names` skips making names unique.

        Raises InvalidTestCode.
        """
        decorators, warnings = self._async_mark(context)
        fixtures = self.fixtures(context)
        used_names = () if keep_names else _used_names(context)
        if self.is_body:
            text, names, imports = self._render_body(context, used_names, fixtures, decorators)
        else:
            complete = self._render_complete(context, used_names, decorators)
            text, names, imports = complete.block, complete.names, complete.imports
            warnings += complete.warnings
        if self._lacks_pytest(context, decorators, imports):
            imports = ["import pytest", *imports]
        if context.only_test_cases and "import pytest" in imports:
            message = "the file now imports pytest: if that is missing, none of it runs"
            warnings.append(InsertionWarning("import_added", message))
        if context.wraps:
            name = context.wraps.removeprefix("class ").partition("(")[0].rstrip(":")
            text, names = f"{context.wraps}\n{indented(text, writing.INDENT)}", (name,)
        check(text)
        warnings += self._name_warnings(context, fixtures)
        return RenderedTest(text, tuple(names), tuple(imports), tuple(warnings))

    def fingerprints(self, text: str) -> list[str]:
        """Return the fingerprints of the tests in this text."""
        return [writing.fingerprint(each) for each in _test_functions(Snippet.of(text))]

    def _render_body(
        self,
        context: Context,
        used_names: Collection[str],
        fixtures: Sequence[str],
        decorators: Sequence[str],
    ) -> tuple[str, tuple[str, ...], list[str]]:
        name = writing.make_unique(writing.function_name(self.red_test), used_names)
        parameters = [*(["self"] if context.is_class else []), *fixtures]
        text = writing.function(
            name, parameters, self.markers, self.snippet.code, is_async=self.is_async, decorators=decorators
        )
        return text, (name,), []

    def _render_complete(
        self, context: Context, used_names: Collection[str], decorators: Sequence[str]
    ) -> complete_tests.CompleteTests:
        """Render complete tests with unique names, markers and the decorators of async tests."""
        new_names: dict[str, str] = {}
        for name in sorted(complete_tests.bound_names(self.snippet)):
            is_lone = any(isinstance(each, DEFINITIONS) and each.name == name for each in self.snippet.tests)
            wanted = name if name.startswith("test") or not is_lone else f"test_security_{name}"
            if (new := writing.make_unique(wanted, {*used_names, *new_names.values()})) != name:
                new_names[name] = new
        snippet = Snippet.of(renamed(self.snippet.code, new_names)) if new_names else self.snippet
        asynchronous = [each for each in _test_functions(snippet) if isinstance(each, ast.AsyncFunctionDef)]
        options = EditOptions(
            markers=self.markers,
            decorators={each.name: decorators for each in asynchronous if not _is_marked(each)},
            adds_self=context.is_class,
            drops_self=not context.is_class,
        )
        return complete_tests.fit(snippet, options, context.outline.origins)

    def _async_mark(self, context: Context) -> tuple[list[str], list[InsertionWarning]]:
        """Return the decorator that the file's async tests have, and warnings."""
        if not self.is_async or context.is_test_case or _all_are_marked(context):
            return [], []
        siblings = [
            *(context.group.functions if context.group else ()),
            *context.outline.functions,
            *(each for other in context.outline.classes for each in other.functions),
        ]
        asynchronous = [each for each in collection.tests_of(siblings) if each.is_async]
        for sibling in asynchronous:
            for decorator in filter(_ASYNC_MARK.match, sibling.decorators):
                return [decorator], []
        if asynchronous:
            return [], []
        message = "the file has no async test to follow; this one needs pytest-asyncio"
        return [f"{_pytest_name(context.outline)}.mark.asyncio"], [
            InsertionWarning("async_plugin_assumed", message)
        ]

    def _lacks_pytest(self, context: Context, decorators: Sequence[str], imports: Sequence[str]) -> bool:
        if "pytest" in context.outline.names or "import pytest" in imports:
            return False
        return "pytest" in self.snippet.free_names or any(each.startswith("pytest.") for each in decorators)

    def _name_warnings(self, context: Context, fixtures: Sequence[str]) -> list[InsertionWarning]:
        warnings = []
        known = context.fixtures.known_to(context.group)
        for name in fixtures if self.is_body else ():
            if name not in known:
                message = f"`{name}` is taken to be a fixture that is defined outside this file"
                warnings.append(InsertionWarning("fixture_assumed", message))
        given = {*fixtures, "pytest", *(["self"] if context.is_class else [])}
        if context.only_test_cases:
            given.add("unittest")
        for name in unbound(self.snippet.free_names, context.outline, given):
            warnings.append(InsertionWarning("unbound_name", f"nothing binds `{name}`, which the test reads"))
        return warnings


def _used_names(context: Context) -> set[str]:
    outline = context.outline
    methods = {name for group in outline.classes for name in group.names}
    return outline.names | methods | context.fixtures.known_to(context.group)


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


def _all_are_marked(context: Context) -> bool:
    """Return whether the file or the class marks all of its tests as async."""
    statements = [text for _, text in context.outline.statements]
    decorators: tuple[str, ...] = ()
    if context.group:
        statements += context.group.statements
        decorators = context.group.decorators
    marks = [text.partition("=")[2].strip(" [(") for text in statements if text.startswith("pytestmark")]
    return any(_ASYNC_MARK_WITHIN.search(text) for text in (*marks, *decorators))


def _pytest_name(outline: Outline) -> str:
    return next((name for name, origin in outline.origins.items() if origin == "pytest"), "pytest")


def functions_of(outline: Outline) -> list[tuple[Function, Class | None]]:
    """Return every function of the file's top level and of its classes."""
    methods = [(function, group) for group in outline.classes for function in group.functions]
    return [*((function, None) for function in outline.functions), *methods]
