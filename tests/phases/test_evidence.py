import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.evidence import Evidence, TestCounts, read_evidence


def read(validation=None, mitigation=None, **options):
    return read_evidence(
        validation=json.dumps(validation or {}), mitigation=json.dumps(mitigation or {}), **options
    )


class TestReadEvidence:
    def test_names_the_test_and_how_it_failed(self):
        run = {"passed": False, "output": "assert 1 == 0", "testFile": "tests/test_a.py"}
        found = read({"redTests": [{"testName": "t", "testCode": "x"}], "testExecutionResult": run})
        assert (found.tests[0].name, found.test_file, found.is_red_before) == ("t", "tests/test_a.py", True)
        assert found.failing_output == "assert 1 == 0"

    @pytest.mark.parametrize("name", ["total", "passed", "failed"])
    def test_passes_over_counts_that_no_test_run_has(self, name):
        """The sum of two numbers of 4,300 digits may have more than Python writes."""
        counts = {"passed": 1, "failed": 1} | {name: 10**4300 - 1}
        assert read({"testResults": counts}).before

    def test_counts_tests_in_words(self):
        found = read({"testResults": {"total": 5, "passed": 4, "failed": 1}}, {"testResults": {"passed": 5}})
        assert (found.before, found.after) == (TestCounts(4, 5, 1), TestCounts(5, 5, 0))

    @pytest.mark.parametrize(
        ("mitigation", "is_green"),
        [
            ({"testsPass": True}, True),
            ({"verification": {"passed": True}}, True),
            ({"verified": True}, True),
            ({"success": True, "testsPass": False}, False),
            ({"fixed": True, "verification": {"testsPass": False}}, False),
            ({"fixed": True}, None),
        ],
    )
    def test_green_is_what_was_verified_not_what_was_claimed(self, mitigation, is_green):
        assert read(mitigation=mitigation).is_green_after is is_green

    @pytest.mark.parametrize(
        "tests",
        [
            {"testName": "t"},
            {"red": {"name": "t"}},
            {"redTests": [{"testName": "t"}]},
            [{"testName": "t"}, 7],
        ],
    )
    def test_reads_tests_however_they_are_wrapped(self, tests):
        assert [test.name for test in read({"redTests": tests}).tests] == ["t"]

    def test_cuts_long_texts(self):
        found = read({"testExecutionResult": {"output": "x" * 100}}, clip=10)
        assert found.failing_output == "xxxxxxxxxx …"

    def test_says_where_the_vulnerability_is(self):
        vulnerability = {"type": "sql_injection", "file": "a.py", "line": 3}
        assert read({"vulnerabilities": [vulnerability]}).vulnerability == "SQL injection in a.py:3"

    @pytest.mark.parametrize("text", ["", "nonsense", "[1, 2", "[]", "7", "[" * 100_000])
    def test_nothing_readable_is_empty(self, text):
        assert read_evidence(validation=text, mitigation=text).is_empty

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ("redTests", "red", "testResults", "testExecutionResult", "verification", "output")
                        + (
                            "vulnerabilities",
                            "passed",
                            "failed",
                            "total",
                            "line",
                            "file",
                            "type",
                            "fixCommit",
                        )
                    ),
                    inner,
                    max_size=5,
                )
            ),
        )
    )
    def test_tolerates_anything(self, data):
        assert isinstance(read({"a": 1} | data if isinstance(data, dict) else data, data), Evidence)
