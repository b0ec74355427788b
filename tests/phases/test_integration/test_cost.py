"""The CPU time of our own code grows linearly with the size of any input, without the parsers' time."""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from phases.evidence import read_evidence
from phases.summary import summarize_phase
from phases.test_integration.errors import TestIntegrationError
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.measure import bench
from phases.test_integration.measure.corpus import red_test
from phases.test_integration.read.syntax import Grammar
from phases.test_integration.services import analyze, detect_framework, generate, name_test_file

GROWTH = 11.0  # for four times the text: quadratic work grows sixteenfold, linear work fourfold
FLOOR = 0.08  # seconds; below it, noise hides the growth

# Units that are repeated to build a text.
PLAIN = [
    " ",
    "\n",
    "\r",
    "\t",
    "(",
    "[",
    "{",
    "<",
    '"',
    "'",
    "\\",
    ",",
    ".",
    "#",
    "=",
    "-",
    "a",
    "é",
    "a ",
    "1.",
]
OF_MANIFESTS = [
    'gem "a",', 'gem "a", ' + " " * 50, "gem 'a',\n", "=begin\n", " #", "# gem(", "<a>", "<a", "<!--", "</a>",
    "<dependency>", "<dependency><groupId>", "a>=1,", "a[b]", "[a.b]\n", 'a="b"\n', "a.b.c=1\n", "module a\n",
    "go 1\n", "//", "def project\n",
]  # fmt: skip
OF_TARGETS = [
    "a(", "a[", "(A", "a=", "a:", "if a\n", "x = 1\n", "import a; ", "import a from 'a'\n", "require 'a'\n",
    "# expect(expect(", "test(((", "@a\n", "class A{}\n", "skip(", "raise a.", "/* */", "use A;\n",
]  # fmt: skip
OF_CODE = [
    "assert x\n", "expect(a).to eq(1)\n", "x.should eq 1\n", "require 'a'\n", "import a\n", "# coding: a\n",
    "a.b.", "(", "def test_a(): pass\n", "it('a', () => {})\n", "\\\n", '"#{\n',
]  # fmt: skip
SLOW_READERS = ["pytest", "unittest", "rspec", "minitest", "jest", "go", "exunit", "phpunit", "junit5"]
BUILT: dict[str, Callable[[int], dict[str, Any]]] = {
    "spaces behind a gem's comma": lambda n: {"gemfile": 'gem "a",' + " " * n + "x"},
    "spaces before a comment": lambda n: {"gemfile": " " * n + "x"},
    "spaces behind a requirement": lambda n: {"requirementsTxt": "a" + " " * n + "[" * n},
    "a long name of a tag": lambda n: {"pomXml": "<" + "a" * n + ">" + "</a" * (n // 3)},
    "a version of many digits": lambda n: {"packageJson": {"dependencies": {"jest": "1" * n + "."}}},
    "many patterns": lambda n: {"packageJson": {"jest": {"testMatch": ["*/" * (n // 100)] * 100}}},
    "many files": lambda n: {"configFiles": ["a/" * 20 + "b.js"] * (n // 40)},
}


def cost(work: Callable[[], object]) -> float:
    """Return the CPU seconds without those of the parser, which is not ours and has its own limit."""
    parsing.clear()
    began = time.thread_time()
    with suppress(TestIntegrationError):
        work()
    return time.thread_time() - began - sum(parsing)


parsing: list[float] = []


@pytest.fixture(autouse=True)
def timed_parsing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    parsing.clear()
    parse = Grammar._parse

    def timed(*arguments: Any) -> Any:
        began = time.thread_time()
        try:
            return parse(*arguments)
        finally:
            parsing.append(time.thread_time() - began)

    monkeypatch.setattr(Grammar, "_parse", timed)
    gc.disable()  # garbage collection runs at random times
    yield
    gc.enable()


def assert_linear(build: Callable[[int], Callable[[], object]], size: int) -> None:
    large = cost(build(size))
    if large < FLOOR:
        return
    small = min(cost(build(size // 4)) for _ in range(3))
    limit = max(FLOOR, small * GROWTH)
    # One measurement below the limit is enough: the smallest of several is no larger.
    for _ in range(3):
        if large < limit:
            return
        large = min(large, cost(build(size)))
    assert large < limit, f"{large:.3f} s for {size} characters, {small:.3f} for a quarter"


def repeated(unit: str, size: int) -> str:
    return unit * (size // len(unit))


class TestDetect:
    @pytest.mark.parametrize("unit", PLAIN + OF_MANIFESTS)
    @pytest.mark.parametrize(
        "field", ["gemfile", "requirementsTxt", "pyprojectToml", "pomXml", "composerJson", "mixExs", "goMod"]
    )
    def test_of_a_manifest_is_linear(self, field, unit):
        assert_linear(lambda n: lambda: detect_framework({field: repeated(unit, n) + "x"}), 20_000)

    @pytest.mark.parametrize("name", BUILT)
    def test_of_a_built_manifest_is_linear(self, name):
        assert_linear(lambda n: lambda: detect_framework(BUILT[name](n)), 20_000)


def insertion(framework: str, target: str, code: str | None = None) -> Callable[[], object]:
    test = red_test(framework) if code is None else red_test(framework) | {"testCode": code}
    language = FRAMEWORKS[framework].languages[0]
    return lambda: generate(
        target_file_content=target, red_tests=[test], framework=framework, language=language
    )


class TestGenerate:
    @pytest.mark.parametrize("unit", OF_TARGETS)
    @pytest.mark.parametrize("framework", SLOW_READERS)
    def test_into_a_hostile_file_is_linear(self, framework, unit):
        small = bench.generate_file(framework, 30)
        assert_linear(lambda n: insertion(framework, f"{small}\n{repeated(unit, n)}"), 12_000)

    @pytest.mark.parametrize("unit", OF_CODE)
    @pytest.mark.parametrize("framework", SLOW_READERS)
    def test_of_hostile_code_is_linear(self, framework, unit):
        small = bench.generate_file(framework, 30)
        assert_linear(lambda n: insertion(framework, small, repeated(unit, n)), 12_000)

    @pytest.mark.parametrize("unit", [" ", "a", "é", "'", "\\", "*/", "#{", "\n"])
    @pytest.mark.parametrize("framework", SLOW_READERS)
    def test_of_hostile_names_is_linear(self, framework, unit):
        def build(size: int) -> Callable[[], object]:
            text = f"a{repeated(unit, size)}"
            test = red_test(framework) | {"testName": text, "attackVector": text, "vulnerableCodePath": text}
            return lambda: generate(
                target_file_content=bench.generate_file(framework, 30),
                red_tests=[test],
                framework=framework,
                language=FRAMEWORKS[framework].languages[0],
            )

        assert_linear(build, 12_000)


def candidates(count: int) -> Iterator[str]:
    """Yield paths of unique words with the source's prefix, and one word of the source."""
    for number in range(count):
        yield "_".join(["aaa10", *(f"aaax{number}q{each}" for each in range(11))]) + ".py"


def time_of_ranking(source: str, paths: list[str]) -> float:
    def work() -> object:
        return analyze(vulnerable_file=source, candidate_test_files=paths, framework="pytest")

    return min(cost(work) for _ in range(3))


class TestAnalyze:
    @pytest.mark.parametrize("unit", ["a/", "aB", "a_", "Test", "é_", "/", "\\", "."])
    def test_of_hostile_paths_is_linear(self, unit):
        def build(count: int) -> Callable[[], object]:
            paths = [repeated(unit, 500) + f"{number}.py" for number in range(count)]
            return lambda: analyze(
                vulnerable_file=repeated(unit, 500), candidate_test_files=paths, framework="pytest"
            )

        assert_linear(build, 2_000)

    def test_takes_no_longer_for_a_source_of_many_words_that_begin_alike(self):
        paths = list(candidates(1_000))
        few, many = (
            "aaa10.py",
            "/".join("_".join(f"aaa{i}{j}" for i in range(7)) for j in range(12)) + "/a.py",
        )
        took = [time_of_ranking(path, paths) for path in (few, many)]
        assert took[1] < took[0] * 4 + FLOOR

    @pytest.mark.parametrize("unit", PLAIN)
    def test_of_a_hostile_name_is_linear(self, unit):
        def build(size: int) -> Callable[[], object]:
            text = f"a{repeated(unit, size)}"
            return lambda: name_test_file(vulnerable_file=text, vulnerability_type=text, framework="go")

        assert_linear(build, 12_000)


class TestStoredResults:
    @pytest.mark.parametrize("unit", PLAIN)
    def test_are_read_in_linear_time(self, unit):
        def build(size: int) -> Callable[[], object]:
            text = repeated(unit, size)
            data = {
                "vulnerabilities": [{"type": text, "title": text, "severity": text, "file": text}] * 10,
                "redTests": [{"testName": text, "testCode": text, "attackVector": text}] * 10,
                "attempts": [{"error": text}] * 20,
                "prUrl": text,
            }
            stored = json.dumps(data)
            return lambda: (
                summarize_phase("mitigation", data),
                read_evidence(validation=stored, mitigation=stored),
            )

        assert_linear(build, 80_000)


class TestMemory:
    """The parser takes about 250 bytes per bracket, so texts with too many are rejected before parsing."""

    @pytest.mark.parametrize("bracket", "([{")
    def test_is_rejected_before_parsing_for_a_file_of_brackets(self, bracket):
        with pytest.raises(TestIntegrationError, match="more than 200000 brackets"):
            insertion("rspec", bracket * 2_000_000)()
        assert parsing == []

    def test_is_rejected_before_parsing_for_code_that_is_too_long(self):
        tracemalloc.start()
        with pytest.raises(TestIntegrationError, match="too long"):
            insertion("rspec", bench.generate_file("rspec", 30), "assert x\n" * 21_000)()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 60_000_000  # nearly all of it is the tree, which is counted as well
