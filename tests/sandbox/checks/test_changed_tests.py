"""Selection of the tests that a change affects, and their time limit."""

import subprocess
from unittest import mock

import pytest

from sandbox.checks.changed_tests import ROOT, Deadline, Sources, choose_tests, list_changed, read_sources

FILES = {
    "billing/pricing.py": "RATE = 1\n",
    "billing/services/__init__.py": "from .charge import charge\n",
    "billing/services/charge.py": "from ..pricing import RATE\n",
    "billing/views.py": "from billing import services\nPAGE = 'billing/plan.html'\n",
    "tests/billing/test_pricing.py": "from billing.pricing import RATE\n",
    "tests/billing/test_pricing_properties.py": "",
    "tests/billing/services/test_charge.py": "",
    "tests/billing/test_views.py": "import billing.views\n",
    "tests/journeys/test_a_fix.py": "import billing.services.charge\n",
    "tests/customers/test_roles.py": "",
    "tests/customers/conftest.py": "",
    "tests/browser/test_pages.py": "import billing.views\n",
}
SOURCES = Sources(FILES)


class TestChooseTests:
    def test_begins_with_those_that_mirror_the_file(self):
        chosen = choose_tests(["billing/pricing.py"], SOURCES)
        assert chosen[:2] == ["tests/billing/test_pricing.py", "tests/billing/test_pricing_properties.py"]

    def test_includes_tests_of_modules_that_import_it_by_a_relative_import(self):
        chosen = choose_tests(["billing/pricing.py"], SOURCES)
        assert chosen[2:] == ["tests/journeys/test_a_fix.py"]

    def test_includes_only_the_test_itself_for_a_test(self):
        assert choose_tests(["tests/customers/test_roles.py"], SOURCES) == ["tests/customers/test_roles.py"]

    def test_finds_tests_of_views_that_use_a_template(self):
        assert choose_tests(["templates/billing/plan.html"], SOURCES) == ["tests/billing/test_views.py"]

    def test_includes_all_tests_in_the_folder_of_a_conftest(self):
        assert choose_tests(["tests/customers/conftest.py"], SOURCES) == ["tests/customers/test_roles.py"]

    @pytest.mark.parametrize("changed", [["docs/index.md"], ["gone.py"], []])
    def test_finds_none_for_a_file_that_nothing_mentions(self, changed):
        assert choose_tests(changed, SOURCES) == []

    def test_works_on_this_project(self):
        chosen = choose_tests(["billing/pricing.py"], read_sources(ROOT))
        assert chosen[0] == "tests/billing/test_pricing.py"
        assert not [each for each in chosen if each.startswith("tests/browser/")]


class TestListChanged:
    @pytest.fixture
    def repository(self, tmp_path):
        def git(*command):
            options = ["-c", "user.name=a", "-c", "user.email=a@acme.test"]
            subprocess.run(["git", *options, *command], cwd=tmp_path, check=True, capture_output=True)

        git("init", "-b", "main")
        for name in ("first", "second"):
            (tmp_path / name).write_text(name)
            git("add", ".")
            git("commit", "-m", name)
        return tmp_path

    def test_is_the_last_commit_on_a_clean_tree(self, repository):
        assert list_changed(repository) == ["second"]

    def test_includes_new_files_but_not_ignored_ones(self, repository):
        (repository / ".gitignore").write_text("ignored\n")
        for name in ("first", "new", "ignored"):
            (repository / name).write_text("other")
        assert list_changed(repository) == ["first", ".gitignore", "new"]


class TestDeadline:
    def test_runs_tests_within_the_limit(self, request):
        deadline = Deadline(60.0, [])
        assert [deadline.pytest_runtest_protocol(request.node) for _ in range(2)] == [None, None]

    def test_runs_the_first_test_and_lists_those_left_out(self, request):
        deadline, report = Deadline(0.0, []), mock.Mock()
        assert [deadline.pytest_runtest_protocol(request.node) for _ in range(3)] == [None, True, True]
        deadline.pytest_terminal_summary(report)
        report.write_line.assert_called_once_with("    2  tests/sandbox/checks/test_changed_tests.py")

    def test_keeps_the_order_of_the_files(self):
        items = [mock.Mock(nodeid=f"{name}::test") for name in ("b", "a", "b")]
        Deadline(0.0, ["a", "b"]).pytest_collection_modifyitems(items)
        assert [item.nodeid for item in items] == ["a::test", "b::test", "b::test"]
