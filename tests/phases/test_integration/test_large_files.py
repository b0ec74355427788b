"""Work grows linearly with any file, and files beyond the limits are rejected before reading."""

import sys

import pytest
from tree_sitter import Tree

from phases.test_integration import engine
from phases.test_integration.errors import TargetRejected, TestIntegrationError
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.measure import bench
from phases.test_integration.measure.corpus import red_test
from phases.test_integration.read.document import Document
from phases.test_integration.read.parsing import MAX_NODES
from phases.test_integration.read.red_tests import read_red_tests
from phases.test_integration.services import generate

JUNIT = "import org.junit.jupiter.api.Test;\n"
EXUNIT = "defmodule A do\nuse ExUnit.Case\n"
CHAIN = "class T0(unittest.TestCase):\n def test_a(self): pass\n"
# Files built of n equal parts.
BUILT = {
    "go, declarations of one import each": ("go", lambda n: each('import "a/aN"\n', n, "package a\n")),
    "go, one block of imports": ("go", lambda n: each('\t"a/aN"\n', n, "package a\nimport (\n", ")\n")),
    "go, types": ("go", lambda n: each("type AN int\n", n, "package a\n", "func TestA(t *testing.T) {}\n")),
    "junit5, classes": ("junit5", lambda n: each("class CN{@Test void a(){}}\n", n, JUNIT)),
    "junit5, classes in each other": (
        "junit5",
        lambda n: JUNIT + "class A{" * n + "@Test void a(){}" + "}" * n,
    ),
    "junit5, classes that extend each other": (
        "junit5",
        lambda n: each("class CN extends CM{@Test void a(){}}\n", n, JUNIT),
    ),
    "junit5, names": ("junit5", lambda n: each("aN,", n, JUNIT + "class A{int ", "z;@Test void a(){}}")),
    "exunit, modules": (
        "exunit",
        lambda n: each('defmodule AN do\nuse ExUnit.Case\ntest "a" do\nend\nend\n', n),
    ),
    "exunit, modules in each other": ("exunit", lambda n: "defmodule A do\n" * n + "end\n" * n),
    "exunit, describes": (
        "exunit",
        lambda n: each('describe "N" do\ntest "a" do\nend\nend\n', n, EXUNIT, "end\n"),
    ),
    "phpunit, classes that extend each other": (
        "phpunit",
        lambda n: each("class CN extends CM{function testA(){}}\n", n, "<?php\n"),
    ),
    "unittest, classes that extend each other": (
        "unittest",
        lambda n: each("class TN(TM):\n def test_a(self): pass\n", n, "import unittest\n" + CHAIN),
    ),
    "unittest, classes that extend a large one": (
        "unittest",
        lambda n: each(
            "class TN(T0):\n def test_a(self): pass\n", n, CHAIN + each(" def test_N(self): pass\n", n)
        ),
    ),
    "pytest, classes that extend each other": (
        "pytest",
        lambda n: each("class TestN(TestM):\n def test_a(self): pass\n", n),
    ),
    "pytest, fixtures": (
        "pytest",
        lambda n: each("@pytest.fixture\ndef fN(): pass\n", n, "import pytest\n", "def test_a(): pass\n"),
    ),
    "rspec, describes": ("rspec", lambda n: each("describe('N') { it('a') {} }\n", n)),
    "rspec, describes in each other": (
        "rspec",
        lambda n: "describe 'a' do\n" * n + "it('a') {}\n" + "end\n" * n,
    ),
    "minitest, classes": ("minitest", lambda n: each("class CN < Minitest::Test\ndef test_a; end\nend\n", n)),
    "jest, describes": ("jest", lambda n: each("describe('N', () => { it('a', () => {}) })\n", n)),
    "jest, describes in each other": (
        "jest",
        lambda n: "describe('a', () => {" * n + "it('a', () => {})" + "})" * n,
    ),
    "vitest, imports": ("vitest", lambda n: each("import aN from 'aN'\n", n, "", "it('a', () => {})\n")),
    "mocha, requires": ("mocha", lambda n: each("const aN = require('aN')\n", n, "", "it('a', () => {})\n")),
}


def each(unit: str, count: int, head: str = "", foot: str = "") -> str:
    units = (unit.replace("N", str(n)).replace("M", str(n - 1)) for n in range(1, count + 1))
    return head + "".join(units) + foot


def insert(framework: str, target: str) -> engine.Integration:
    language = FRAMEWORKS[framework].languages[0]
    return generate(
        target_file_content=target,
        red_tests=[red_test(framework)],
        framework=framework,
        language=language,
    )


def lines_run(framework: str, target: str) -> int:
    """Return the number of Python lines that an insertion or its rejection executes."""
    count = 0

    def trace(*_: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        insert(framework, target)
    except TestIntegrationError:
        pass
    finally:
        sys.settrace(before)
    return count


class TestWork:
    @pytest.mark.parametrize("name", BUILT)
    def test_grows_with_the_file_linearly(self, name):
        framework, build = BUILT[name]
        insert(framework, build(1))  # what is created once is not counted
        small, large = (lines_run(framework, build(count)) for count in (200, 400))
        assert large < small * 2.3

    @pytest.mark.parametrize(
        ("framework", "target"),
        [
            ("junit5", JUNIT + "class A" + "a" * 2_000 + " { @Nested class B { @Test void a() {} } }\n"),
            ("exunit", "defmodule A" + "a" * 2_000 + ' do\nuse ExUnit.Case\ntest "a" do\nend\nend\n'),
            ("pytest", "class Test" + "a" * 2_000 + ":\n    def test_a(self): pass\n"),
        ],
        ids=["junit5", "exunit", "pytest"],
    )
    def test_does_not_copy_a_very_long_name_into_the_groups_below_it(self, framework, target):
        result = insert(framework, target)
        assert (result.method, result.point) == ("append", None)


class Unread:
    """An inserter whose files must not be read."""

    grammars = FRAMEWORKS["pytest"].inserter.grammars  # type: ignore[union-attr]

    def read(self, document: Document, tree: Tree) -> None:
        raise AssertionError("it was read")


class TestSize:
    @pytest.mark.parametrize("framework", bench.list_insertable())
    def test_of_ten_thousand_lines_is_accepted(self, framework):
        assert insert(framework, bench.generate_file(framework, 10_000)).method == "ast"

    def test_of_too_many_nodes_is_rejected_before_the_file_is_read(self):
        target = "a;" * (MAX_NODES // 3 + 100)  # three nodes each: parsed well within its time
        with pytest.raises(TargetRejected, match="nodes") as rejected:
            engine.integrate(Unread(), target, read_red_tests([red_test("pytest")]))  # type: ignore[arg-type]
        assert (rejected.value.status, rejected.value.field) == (422, "targetFileContent")
