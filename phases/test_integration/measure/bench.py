"""Measures insertion into generated files of every framework, against parsing the same files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.measure.corpus import percentile, red_test
from phases.test_integration.plan.protocols import Inserter
from phases.test_integration.read.document import Document
from phases.test_integration.services import generate

SIZES = (100, 300, 1_000, 10_000)
_BLOCK = "describe('users', () => {\n"
_BLOCK_UNIT = (
    "  it('finds user N', () => {\n    const found = users.find(N);\n    expect(found).toBe(N);\n  });\n\n"
)
# The start of a file, one test with N for its number, and the end of the file.
_FILES = {
    "pytest": (
        "import pytest\n\nfrom app.users import find\n\n\n",
        "def test_user_N():\n    found = find(N)\n    assert found == N\n\n\n",
        "",
    ),
    "unittest": (
        "import unittest\n\nfrom app.users import find\n\n\nclass UsersTest(unittest.TestCase):\n",
        "    def test_user_N(self):\n        found = find(N)\n        self.assertEqual(found, N)\n\n",
        "\nif __name__ == '__main__':\n    unittest.main()\n",
    ),
    "go": (
        'package users\n\nimport (\n\t"testing"\n)\n\n',
        'func TestUserN(t *testing.T) {\n\tif found := Find(N); found != N {\n\t\tt.Error("N")\n\t}\n}\n\n',
        "",
    ),
    "rspec": (
        "require 'spec_helper'\n\nRSpec.describe Users do\n",
        "  it 'finds user N' do\n    found = Users.find(N)\n    expect(found).to eq(N)\n  end\n\n",
        "end\n",
    ),
    "minitest": (
        "require 'test_helper'\n\nclass UsersTest < Minitest::Test\n",
        "  def test_user_N\n    found = Users.find(N)\n    assert_equal N, found\n  end\n\n",
        "end\n",
    ),
    "jest": ("const users = require('./users');\n\n" + _BLOCK, _BLOCK_UNIT, "});\n"),
    "vitest": (
        "import { describe, expect, it } from 'vitest';\nimport users from './users';\n\n" + _BLOCK,
        _BLOCK_UNIT,
        "});\n",
    ),
    "mocha": (
        "const { expect } = require('chai');\nconst users = require('./users');\n\n" + _BLOCK,
        _BLOCK_UNIT.replace(".toBe(", ".to.equal("),
        "});\n",
    ),
    "junit5": (
        "package shop;\n\nimport static org.junit.jupiter.api.Assertions.assertEquals;\n\n"
        "import org.junit.jupiter.api.Test;\n\nclass UsersTest {\n",
        "    @Test\n    void findsUserN() {\n        assertEquals(N, Users.find(N));\n    }\n\n",
        "}\n",
    ),
    "phpunit": (
        "<?php\n\nuse PHPUnit\\Framework\\TestCase;\n\nclass UsersTest extends TestCase\n{\n",
        "    public function testUserN()\n    {\n        $this->assertSame(N, find(N));\n    }\n\n",
        "}\n",
    ),
    "exunit": (
        "defmodule UsersTest do\n  use ExUnit.Case\n\n",
        '  test "finds user N" do\n    found = Users.find(N)\n    assert found == N\n  end\n\n',
        "end\n",
    ),
}


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds; `parse_p50` is the baseline: parsing the file and nothing else.

    `cpu_p50` is CPU time; p50 and p99 also contain other work of the machine.
    """

    framework: str
    lines: int
    p50: float
    p99: float
    cpu_p50: float
    parse_p50: float
    method: str


def generate_file(framework: str, lines: int) -> str:
    """Return a plain test file of about that many lines."""
    head, unit, foot = _FILES[framework]
    count = max(-(-(lines - head.count("\n") - foot.count("\n")) // unit.count("\n")), 1)
    return (
        head + "".join(unit.replace("N", str(number)) for number in range(count)).rstrip("\n") + "\n" + foot
    )


def request_body(framework: str, lines: int) -> dict[str, object]:
    """Return the request that inserts one test into the generated file."""
    return {
        "targetFileContent": generate_file(framework, lines),
        "testSuite": {"redTests": [red_test(framework)]},
        "framework": framework,
        "language": FRAMEWORKS[framework].languages[0],
    }


def list_insertable() -> list[str]:
    """Return the frameworks with insertion, in the registry's order."""
    return [name for name, each in FRAMEWORKS.items() if each.inserter is not None and name in _FILES]


def rounds_for(lines: int, rounds: int) -> int:
    """Return fewer rounds for large files."""
    return max(rounds if lines <= 1_000 else rounds // 5, 3)


def measure_engine(framework: str, lines: int, rounds: int) -> Timing:
    """Measure the engine without HTTP."""
    text = generate_file(framework, lines)
    inserter = FRAMEWORKS[framework].inserter
    assert inserter is not None
    language = FRAMEWORKS[framework].languages[0]
    methods: set[str] = set()

    def insert() -> None:
        result = generate(
            target_file_content=text, red_tests=[red_test(framework)], framework=framework, language=language
        )
        methods.add(result.method)

    count = rounds_for(lines, rounds)
    times = timed(insert, count)
    worked = timed(insert, count, time.thread_time)
    baseline = timed(lambda: _parse(inserter, text), count)
    return Timing(
        framework=framework,
        lines=lines,
        p50=percentile(times, 50),
        p99=percentile(times, 99),
        cpu_p50=percentile(worked, 50),
        parse_p50=percentile(baseline, 50),
        method=max(methods),
    )


def timed(
    work: Callable[[], object], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the milliseconds of each round, after one warm-up round."""
    work()
    times = []
    for _ in range(rounds):
        started = clock()
        work()
        times.append((clock() - started) * 1000)
    return times


def _parse(inserter: Inserter, text: str) -> None:
    inserter.grammars[0].parse(Document.of(text))
