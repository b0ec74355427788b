"""`manage.py bench_ranking`: source and test pairs from a git history, and the share ranked first."""

import json
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from phases.test_integration.measure.ranking_bench import (
    Pair,
    find_pair,
    is_source,
    is_test,
    top_1,
)


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    names = ["users", "orders", "carts", "prices", "taxes"]
    commits = [[f"tests/test_{name}.py" for name in names], ["shop/users.py", "tests/test_users.py"]]
    commits += [["shop/orders.py", "README.md", "tests/test_orders.py"], ["shop/carts.py", "shop/taxes.py"]]
    for number, paths in enumerate(commits):
        for path in paths:
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(f"x = {number}\n")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", str(number))
    return tmp_path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("bench_ranking", *map(str, arguments), stdout=out)
    return out.getvalue()


class TestCommand:
    def test_counts_pairs_in_the_history(self, repository):
        (row,) = json.loads(run(repository, "--json"))
        assert (row["pairs"], row["candidates"]) == (2, 5)
        assert row["our_top_1"] == row["plain_top_1"] == 1.0

    def test_prints_a_row_per_repository_and_a_total(self, repository):
        printed = run(repository, repository / ".git").splitlines()
        assert len(printed) == 4
        assert printed[-1].split() == ["all", "4", "5", "100.0%", "100.0%"]

    def test_limits_the_number_of_pairs(self, repository):
        assert json.loads(run(repository, "--json", "--most", 1))[0]["pairs"] == 1

    def test_rejects_a_directory_without_repository(self, tmp_path):
        with pytest.raises(CommandError, match="no git repository"):
            run(tmp_path)


class TestPairs:
    def test_need_exactly_one_source_and_one_test(self):
        assert find_pair(["a/x.py", "docs/x.rst", "t/test_x.py"]) == ("a/x.py", "t/test_x.py")
        assert find_pair(["a/x.py", "a/y.py", "t/test_x.py"]) is None

    @pytest.mark.parametrize(
        "path", ["tests/test_a.py", "a_test.go", "a.spec.ts", "ATest.php", "spec/a_spec.rb", "test/spec_a.rb"]
    )
    def test_recognize_tests(self, path):
        assert is_test(path)
        assert not is_source(path)

    @pytest.mark.parametrize("path", ["tests/helper.py", "docs/conf.py", "setup.py", "README.md", "x.d.ts"])
    def test_ignore_other_files(self, path):
        assert not is_test(path)
        assert not is_source(path)

    def test_top_1_is_a_fraction(self):
        pairs = [Pair("a", "t", ("s", "t")), Pair("b", "s", ("s", "t"))]
        assert top_1(pairs, lambda _, candidates: candidates[0]) == 0.5
        assert top_1([], lambda _, candidates: candidates[0]) == 0.0
