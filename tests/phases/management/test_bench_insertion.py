"""`manage.py bench_insertion`: engine and request times of every framework with an inserter."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from phases.test_integration.measure import bench


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("bench_insertion", "--rounds", "1", *map(str, arguments), stdout=out)
    return out.getvalue()


class TestGeneratedFile:
    @pytest.mark.parametrize("framework", bench.list_insertable())
    def test_accepts_a_test_by_syntax_tree(self, framework):
        assert 95 <= bench.generate_file(framework, 100).count("\n") < 110
        assert bench.measure_engine(framework, 100, 1).method == "ast"


@pytest.mark.django_db
class TestCommand:
    def test_reports_engine_request_and_baseline(self):
        rows = json.loads(run("--json", "--framework", "pytest", "--sizes", 50, 100))
        assert [(row["framework"], row["lines"]) for row in rows] == [("pytest", 50), ("pytest", 100)]
        for row in rows:
            assert 0 < row["p50"] <= row["p99"]
            assert row["cpu_p50"] > 0 < row["parse_p50"]
            assert row["request_p50"] > 0
        assert rows[0]["growth"] == "-"
        assert rows[1]["growth"] > 0

    def test_prints_a_table(self):
        assert run("--framework", "go", "--sizes", 50).startswith("framework  lines  engine p50")

    def test_stores_nothing(self):
        run("--framework", "go", "--sizes", 50)
        assert not Customer.objects.exists()

    def test_lists_the_available_frameworks(self):
        with pytest.raises(CommandError, match="there is: .*pytest"):
            run("--framework", "cobol")
