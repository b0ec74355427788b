"""What pytest collects, what it skips, and which fixtures a file's tests use."""

from __future__ import annotations

import re
from collections.abc import Iterable

from phases.test_integration.insertion import Notice
from phases.test_integration.python.layout import Class, Function, Layout, bare_statement

# Decorators of a class under which one more test runs, once, and as the others do.
_HARMLESS_CLASS_DECORATOR = re.compile(
    r"(?:\w+\.)*mark\.(?!skip|skipif|xfail|parametrize)\w+|(?:\w+\.)*(?:override_settings|modify_settings|tag)"
)
_NOT_RUN = re.compile(r"\bmark\.(skip|skipif|xfail|parametrize)\b")
_FIXTURE = re.compile(r"(?:\w+\.)*fixture\b|(?:\w+\.)*yield_fixture\b")
_FIXTURE_NAME = re.compile(r"""\bname\s*=\s*["'](\w+)["']""")
_PARAMETRIZE = re.compile(r"""\bparametrize\(\s*(?:argnames\s*=\s*)?[\[(]?((?:\s*["'][\w\s,]+["']\s*,?)+)""")
_SKIPS_MODULE = re.compile(
    r"\bskip\(.*allow_module_level\s*=\s*True|\bSkipTest\b|\b__test__\s*=\s*False", re.DOTALL
)
_MAY_SKIP_MODULE = re.compile(r"\bimportorskip\(|\bmark\.skipif\b")

# pytest's own, and those that every project with the plugin calls the same.
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


def is_test_case(layout: Layout, group: Class) -> bool:
    """Whether it is a `unittest.TestCase`, by its name or through the file's own classes."""
    seen: set[str] = set()
    waiting = list(group.bases)
    while waiting:
        base = waiting.pop()
        if base.rpartition(".")[2].endswith("TestCase"):
            return True
        if base not in seen and (own := layout.class_at(base)):
            seen.add(base)
            waiting += own.bases
    return False


def runs(layout: Layout, group: Class) -> bool:
    """Whether one more test in the class is collected, and run exactly once and without conditions."""
    families = {base for other in layout.classes for base in other.bases}
    around = [
        layout.class_at(group.path.rsplit(".", depth)[0]) for depth in range(1, group.path.count(".") + 1)
    ]
    return group.name not in families and all(
        _collects(layout, each) and _is_unconditional(each) for each in (group, *filter(None, around))
    )


def fixtures(layout: Layout, group: Class | None) -> frozenset[str]:
    """The fixtures that are sure to exist for tests of the class, or of the file's top level."""
    functions = [*layout.functions, *(group.functions if group else ())]
    defined = {
        name[1] if (name := _FIXTURE_NAME.search(decorator)) else function.name
        for function in functions
        for decorator in function.decorators
        if _FIXTURE.match(decorator)
    }
    everywhere = [*layout.functions, *(each for other in layout.classes for each in other.functions)]
    used = {name for function in everywhere for name in _fixture_parameters(function)}
    elsewhere = {
        function.name
        for other in layout.classes
        if other is not group
        for function in other.functions
        if any(map(_FIXTURE.match, function.decorators))
    }
    return frozenset(defined | (used - elsewhere) | (BUILTIN_FIXTURES - layout.names))


def module_notices(layout: Layout) -> tuple[Notice, ...]:
    """What keeps every test of the file from running."""
    notices = []
    for node, statement in layout.statements:
        bare = bare_statement(statement)
        line = layout.document.row_of(node.start_byte) + 1
        is_top_level = node.parent == layout.root
        marker = _NOT_RUN.search(bare) if bare.startswith("pytestmark") else None
        if (marker and marker[1] == "skip") or (_SKIPS_MODULE.search(bare) and is_top_level):
            notices.append(Notice("module_skipped", "the file skips all of its tests, new ones too", line))
        elif marker and marker[1] == "xfail":
            notices.append(
                Notice("module_expected_to_fail", "a failing test of this file counts as expected", line)
            )
        elif _MAY_SKIP_MODULE.search(bare) or _SKIPS_MODULE.search(bare):
            notices.append(
                Notice("module_may_be_skipped", "the file skips its tests under a condition", line)
            )
    return tuple(notices)


def parametrizes_module(layout: Layout) -> bool:
    """Whether every test of the file must take parameters that only its own tests know."""
    return any(
        statement.startswith("pytestmark") and "parametrize" in bare_statement(statement)
        for _, statement in layout.statements
    )


def _collects(layout: Layout, group: Class) -> bool:
    if any(re.match(r"__test__\s*=\s*False", statement) for statement in group.statements):
        return False
    if is_test_case(layout, group):
        return True
    lineage = [group, *filter(None, map(layout.class_at, group.bases))]
    constructed = any(name in each.names for each in lineage for name in ("__init__", "__new__"))
    return group.name.startswith("Test") and not constructed


def _is_unconditional(group: Class) -> bool:
    marks = (statement for statement in group.statements if statement.startswith("pytestmark"))
    return all(map(_HARMLESS_CLASS_DECORATOR.match, group.decorators)) and not any(
        map(_NOT_RUN.search, marks)
    )


def _fixture_parameters(function: Function) -> set[str]:
    """The parameters of a test or a fixture that pytest fills with fixtures."""
    if not (is_test(function) or any(map(_FIXTURE.match, function.decorators))):
        return set()
    parametrized = {
        name
        for decorator in function.decorators
        for found in _PARAMETRIZE.finditer(decorator)
        for name in re.findall(r"\w+", found[1])
    }
    if any("patch" in decorator for decorator in function.decorators):
        return set()
    return {name for name in function.parameters if name not in ("self", "cls")} - parametrized
