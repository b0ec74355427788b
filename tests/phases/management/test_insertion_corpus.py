"""`manage.py insertion_corpus`: statistics of insertion into folders of real test files."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from phases.management.language_parsers import parses
from phases.test_integration.measure import corpus

FILES = {
    "test_users.py": "def test_a():\n    assert 1\n",
    "test_empty.py": "import pytest\n",
    "deep/test_case.py": "import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self): pass\n",
    "deep/shop_test.go": 'package shop\n\nimport "testing"\n\nfunc TestA(t *testing.T) {}\n',
    "node_modules/test_no.py": "def test_a(): pass\n",
    "users.py": "def test_a(): pass\n",
    "test_latin.py": "def test_a(): 'ä'\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode("latin-1" if "latin" in name else "utf-8"))
    return tmp_path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("insertion_corpus", *map(str, arguments), "--jobs", "1", stdout=out)
    return out.getvalue()


class TestCommand:
    def test_counts_by_framework_and_reason(self, folder):
        rows = {row["framework"]: row for row in json.loads(run(folder, "--json"))}
        assert set(rows) == {"pytest", "unittest", "go"}
        pytest_row = rows["pytest"]
        assert (pytest_row["files"], pytest_row["with_test"], pytest_row["by_tree"]) == (2, 1, 1)
        assert pytest_row["reasons"] == {"append: the file has no test to stand beside": 1}
        assert all(row["changed"] == row["parse_failed"] == row["rejected"] == 0 for row in rows.values())
        assert pytest_row["parse_checked"] == 2

    def test_prints_a_table_and_an_example_of_each_reason(self, folder):
        printed = run(folder)
        assert printed.startswith("framework  files  with test")
        assert "pytest: 1 × append: the file has no test" in printed
        assert "test_empty.py)" in printed

    def test_changes_no_file(self, folder):
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        run(folder)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before

    def test_uses_the_given_framework(self, folder):
        assert {
            row["framework"] for row in json.loads(run(folder / "deep", "--json", "--framework", "go"))
        } == {"go"}

    def test_rejects_a_missing_directory(self, tmp_path):
        with pytest.raises(CommandError, match="no such directory"):
            run(tmp_path / "none")


class TestGuessFramework:
    @pytest.mark.parametrize(
        ("path", "text", "framework"),
        [
            ("a/test_x.py", "from unittest import TestCase\n", "unittest"),
            ("a/test_x.py", "import unittest\nimport pytest\n", "pytest"),
            ("x_test.go", "package x", "go"),
            ("x_test.exs", "", "exunit"),
            ("XTest.java", "import org.junit.jupiter.api.Test;", "junit5"),
            ("XTest.java", "import org.junit.Test;", None),
            ("XTest.php", "<?php", "phpunit"),
            ("x_spec.rb", "", "rspec"),
            ("x_test.rb", "", "minitest"),
            ("x.test.ts", "import { it } from 'vitest'", "vitest"),
            ("x.test.js", "jest.mock('x')", "jest"),
            ("x.test.js", "it('a', () => { expect(1) })", "jest"),
            ("x.spec.js", "specify('a', () => { expect(1) })", "mocha"),
            ("test/x.js", "var assert = require('assert')\ndescribe('a', function () {})", "mocha"),
            ("x.js", "describe('a')", None),
        ],
    )
    def test_uses_name_and_content(self, path, text, framework):
        assert corpus.guess_framework(path, text) == framework


class TestStatistics:
    def test_percentile_is_the_smallest_value_covering_the_share(self):
        assert corpus.percentile(list(range(1, 101)), 99) == 99
        assert corpus.percentile([3, 1, 2], 50) == 2
        assert corpus.percentile([], 50) == 0

    def test_counts_results_that_do_not_parse(self):
        checked = iter([True, False])
        outcome = corpus.measure("x.py", "pytest", FILES["test_users.py"], lambda *_: next(checked))
        assert outcome.parses is False
        (row,) = corpus.summarize([outcome])
        assert row.parse_failed == 1
        assert row.reasons["the result does not parse"] == 1

    def test_does_not_check_a_language_without_parser(self):
        assert parses("cobol", "x") is None

    def test_checks_python_with_its_own_parser(self):
        assert (parses("python", "x = 1"), parses("python", "x = (")) == (True, False)
