from pathlib import Path

import pytest

from sandbox.action.red_tests import TEST_CODE, TEST_NAME
from sandbox.action.suite import SuiteError, read_report, run_suite

REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one"/>
<testcase classname="tests.test_a" name="test_two"><failure message="AssertionError: assert 0"/></testcase>
<testcase classname="tests.test_a" name="test_three"><failure message="KeyError: 'a'"/></testcase>
<testcase classname="tests.test_a" name="test_four"><error message="fixture 'x' not found"/></testcase>
<testcase classname="tests.test_a" name="test_five"><skipped message="later"/></testcase>
</testsuite></testsuites>"""


class TestReadReport:
    def test_distinguishes_an_assertion_from_another_exception(self) -> None:
        found = {
            each.name.split("::")[1]: (each.status, each.is_assertion)
            for each in read_report(REPORT).outcomes
        }
        assert found == {
            "test_one": ("passed", False),
            "test_two": ("failed", True),
            "test_three": ("failed", False),
            "test_four": ("error", False),
            "test_five": ("skipped", False),
        }


class TestRunSuite:
    def test_passes_on_the_unchanged_shop(self, checkout: Path) -> None:
        run = run_suite(checkout)
        assert len(run.passed) == len(run.outcomes) >= 10

    def test_fails_on_an_assertion_with_the_test_that_proves_the_vulnerability(self, checkout: Path) -> None:
        with (checkout / "tests/catalog/test_search.py").open("a") as file:
            file.write(f"\n\n{TEST_CODE}\n")
        (red,) = run_suite(checkout).not_passed
        assert red.is_assertion and red.name.endswith(TEST_NAME)

    def test_raises_with_the_output_if_pytest_cannot_run(self, checkout: Path) -> None:
        (checkout / "tests/conftest.py").write_text("import nowhere")
        with pytest.raises(SuiteError, match="nowhere"):
            run_suite(checkout)
