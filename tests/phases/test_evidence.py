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
    def test_contains_the_test_and_its_failing_output(self):
        run = {"passed": False, "output": "assert 1 == 0", "testFile": "tests/test_a.py"}
        found = read({"redTests": [{"testName": "t", "testCode": "x"}], "testExecutionResult": run})
        assert (found.tests[0].name, found.test_file, found.is_red_before) == ("t", "tests/test_a.py", True)
        assert found.failing_output == "assert 1 == 0"

    @pytest.mark.parametrize("name", ["total", "passed", "failed"])
    def test_ignores_absurd_counts(self, name):
        """The sum of two numbers of 4,300 digits may exceed Python's limit for int-to-str conversion."""
        counts = {"passed": 1, "failed": 1} | {name: 10**4300 - 1}
        assert read({"testResults": counts}).before

    def test_derives_missing_counts(self):
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
    def test_green_depends_on_verification_instead_of_the_claim(self, mitigation, is_green):
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
    def test_reads_tests_in_every_known_structure(self, tests):
        assert [test.name for test in read({"redTests": tests}).tests] == ["t"]

    def test_truncates_long_texts(self):
        found = read({"testExecutionResult": {"output": "x" * 100}}, clip=10)
        assert found.failing_output == "xxxxxxxxxx …"

    def test_describes_the_vulnerability_with_its_location(self):
        vulnerability = {"type": "sql_injection", "file": "a.py", "line": 3}
        assert read({"vulnerabilities": [vulnerability]}).vulnerability == "SQL injection in a.py:3"

    @pytest.mark.parametrize("text", ["", "nonsense", "[1, 2", "[]", "7", "[" * 100_000])
    def test_unreadable_input_is_empty(self, text):
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
    def test_accepts_any_data(self, data):
        assert isinstance(read({"a": 1} | data if isinstance(data, dict) else data, data), Evidence)
