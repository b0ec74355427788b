"""Which tests pytest collects and runs, and which fixtures a file's tests use."""

from __future__ import annotations

import re
from collections.abc import Iterable

from phases.test_integration.languages.python.outline import (
    Class,
    Function,
    Outline,
    bare_statement,
)
from phases.test_integration.plan.protocols import InsertionWarning

MAX_BASES = 20  # of a class and its bases together

# Decorators under which a new test of the class still runs exactly once, unconditionally.
_HARMLESS_CLASS_DECORATOR = re.compile(
    r"(?:\w+\.)*mark\.(?!skip|skipif|xfail|parametrize)\w+|(?:\w+\.)*(?:override_settings|modify_settings|tag)"
)
_NOT_RUN = re.compile(r"\bmark\.(skip|skipif|xfail|parametrize)\b")
_FIXTURE = re.compile(r"(?:\w+\.)*fixture\b|(?:\w+\.)*yield_fixture\b")
_FIXTURE_NAME = re.compile(r"""\bname\s*=\s*["'](\w+)["']""")
_PARAMETRIZE = re.compile(
    r"""\bparametrize\(\s*+(?:argnames\s*+=\s*+)?+[\[(]?+((?:\s*+["'][\w\s,]++["']\s*+,?+)++)"""
)
_TEST_CASE = re.compile(r"TestCase$")
_TEST_BASE = re.compile(r"(?:Tests?|(?<!\w)(?>\w*?Test[A-Z])\w*+)$")
_SKIPS_MODULE = re.compile(
    # Only the first `skip(` is tried: searching from each one would take quadratic time.
    r"\A(?>.*?\bskip\().*?allow_module_level\s*=\s*True|\bSkipTest\b|\b__test__\s*=\s*False",
    re.DOTALL,
)
_MAY_SKIP_MODULE = re.compile(r"\bimportorskip\(|\bmark\.skipif\b")

# Fixtures of pytest itself, and of common plugins under their usual names.
BUILTIN_FIXTURES = frozenset(
    {"cache", "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "doctest_namespace", "monkeypatch"}
    | {"pytestconfig", "pytester", "record_property", "record_testsuite_property", "recwarn", "request"}
    | {"subtests", "testdir", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory"}
)
PLUGIN_FIXTURES = frozenset(
    {
        "admin_client",
        "async_client",
        "benchmark",
        "client",
        "db",
        "django_user_model",
        "live_server",
        "mocker",
    }
    | {"requests_mock", "rf", "settings", "transactional_db"}
)


def is_test(function: Function) -> bool:
    return function.name.startswith("test") and not any(map(_FIXTURE.match, function.decorators))


def tests_of(functions: Iterable[Function]) -> list[Function]:
    return [function for function in functions if is_test(function)]


def is_test_case(outline: Outline, group: Class) -> bool:
    """Return whether the class is a `unittest.TestCase`, by its bases or through the file's classes.

    A base from another file that is named like a test makes it one, if pytest would not collect it by name.
    """
    external_bases = (
        outline.origin_of(base)
        for each in lineage(outline, group)
        for base in each.bases[:MAX_BASES]
        if outline.class_at(base) is None
    )
    by_base = not group.name.startswith("Test")
    return any(_TEST_CASE.search(base) or (by_base and _TEST_BASE.search(base)) for base in external_bases)


def lineage(outline: Outline, group: Class) -> list[Class]:
    """Return the class and its bases in this file, at most MAX_BASES."""
    found = [group]
    seen = {group.path}
    for each in found:
        for base in each.bases[:MAX_BASES]:
            own = outline.class_at(base)
            if own is not None and base not in seen and len(found) < MAX_BASES:
                seen.add(base)
                found.append(own)
    return found


def runs(outline: Outline, group: Class) -> bool:
    """Return whether a new test in the class would be collected and run exactly once, unconditionally."""
    enclosing = [
        outline.class_at(group.path.rsplit(".", depth)[0]) for depth in range(1, group.path.count(".") + 1)
    ]
    # A later class of the same name replaces it. The tests of a class that others extend run in those too.
    is_hidden = outline.class_at(group.path) is not group
    return (
        not is_hidden
        and group.name not in outline.bases
        and all(
            _collects(outline, each) and _is_unconditional(each) for each in (group, *filter(None, enclosing))
        )
    )


class Fixtures:
    """The fixtures that a file's tests can use."""

    def __init__(self, outline: Outline) -> None:
        methods = [each for group in outline.classes for each in group.functions]
        self._in_file = _defined(outline.functions)
        self._in_classes = _defined(methods)
        self._used = {name for each in (*outline.functions, *methods) for name in _fixture_parameters(each)}
        self._builtin = BUILTIN_FIXTURES - outline.names

    def known_to(self, group: Class | None) -> frozenset[str]:
        """Return the fixtures that certainly exist for tests of the class, or of the top level."""
        own = _defined(group.functions) if group else frozenset()
        # A fixture that another class defines does not exist here.
        return self._in_file | own | (self._used - self._in_classes) | self._builtin


def module_warnings(outline: Outline) -> tuple[InsertionWarning, ...]:
    """Return warnings about what keeps every test of the file from running."""
    warnings = []
    top_level = {node.id for node in outline.root.children}  # `node.parent` is slow
    for node, statement in outline.statements:
        bare = bare_statement(statement)
        line = node.start_point.row + 1
        is_top_level = node.id in top_level
        marker = _NOT_RUN.search(bare) if bare.startswith("pytestmark") else None
        if (marker and marker[1] == "skip") or (_SKIPS_MODULE.search(bare) and is_top_level):
            warnings.append(
                InsertionWarning("module_skipped", "the file skips all of its tests, new ones too", line)
            )
        elif marker and marker[1] == "xfail":
            warnings.append(
                InsertionWarning(
                    "module_expected_to_fail", "a failing test of this file counts as expected", line
                )
            )
        elif _MAY_SKIP_MODULE.search(bare) or _SKIPS_MODULE.search(bare):
            warnings.append(
                InsertionWarning("module_may_be_skipped", "the file skips its tests under a condition", line)
            )
    return tuple(warnings)


def parametrizes_module(outline: Outline) -> bool:
    """Return whether pytestmark parametrizes every test of the file."""
    return any(
        statement.startswith("pytestmark") and "parametrize" in bare_statement(statement)
        for _, statement in outline.statements
    )


def _collects(outline: Outline, group: Class) -> bool:
    if any(re.match(r"__test__\s*=\s*False", statement) for statement in group.statements):
        return False
    if is_test_case(outline, group):
        return True
    lineage = [group, *filter(None, map(outline.class_at, group.bases))]
    constructed = any(name in each.names for each in lineage for name in ("__init__", "__new__"))
    return group.name.startswith("Test") and not constructed


def _is_unconditional(group: Class) -> bool:
    marks = (statement for statement in group.statements if statement.startswith("pytestmark"))
    return has_harmless_decorators(group) and not any(map(_NOT_RUN.search, marks))


def has_harmless_decorators(group: Class) -> bool:
    return all(map(_HARMLESS_CLASS_DECORATOR.match, group.decorators))


def _defined(functions: Iterable[Function]) -> frozenset[str]:
    return frozenset(
        name[1] if (name := _FIXTURE_NAME.search(decorator)) else function.name
        for function in functions
        for decorator in function.decorators
        if _FIXTURE.match(decorator)
    )


def _fixture_parameters(function: Function) -> set[str]:
    """Return the parameters of a test or a fixture that pytest fills with fixtures."""
    if not (is_test(function) or any(map(_FIXTURE.match, function.decorators))):
        return set()
    parametrized = {
        name
        for decorator in function.decorators
        for found in _PARAMETRIZE.finditer(decorator)
        for name in re.findall(r"\w+", found[1])
    }
    # `mock.patch` passes arguments that are no fixtures, and does not say which.
    if any("patch" in decorator for decorator in function.decorators):
        return set()
    return {name for name in function.parameters if name not in ("self", "cls")} - parametrized
