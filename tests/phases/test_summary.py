import tracemalloc

import pytest

from phases.attempts import read_attempts
from phases.summary import summarize_phase

VULNERABILITY = {
    "type": "sql_injection",
    "severity": "Critical",
    "description": "The query\n is put together",
}


class TestSummarizePhase:
    def test_scan_counts_its_findings(self):
        assert (
            summarize_phase("scan", {"vulnerabilities": [VULNERABILITY, VULNERABILITY, "odd"]}).findings == 2
        )

    def test_validation_names_its_vulnerability_in_one_line(self):
        summary = summarize_phase("validation", {"vulnerabilities": [VULNERABILITY]})
        assert (summary.severity, summary.vulnerability_type) == ("critical", "sql_injection")
        assert summary.title == "The query is put together"

    def test_very_long_title_uses_little_memory(self):
        data = {"title": "a " * 1_000_000, "severity": "high " * 1_000_000}
        tracemalloc.start()
        assert len(summarize_phase("validation", data).title) == 200
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1_000_000

    @pytest.mark.parametrize(
        ("word", "severity"), [("HIGH", "high"), ("moderate", "medium"), ("grave", ""), (9, "")]
    )
    def test_maps_to_four_severities(self, word, severity):
        assert summarize_phase("mitigation", {"severity": word}).severity == severity

    @pytest.mark.parametrize("data", [{}, {"vulnerabilities": 3}, {"vulnerabilities": [None]}, {"type": []}])
    def test_accepts_any_data(self, data):
        assert summarize_phase("validation", data).vulnerability_type == ""

    def test_truncates_texts_to_their_columns(self):
        summary = summarize_phase("mitigation", {"title": "x" * 999, "vulnerabilityType": "y" * 999})
        assert (len(summary.title), len(summary.vulnerability_type)) == (200, 60)


class TestReadAttempts:
    def test_accepts_a_number_or_a_list(self):
        tries = [{"claimed": True, "verified": False, "error": "2 tests red"}, {"verified": True}]
        found = read_attempts({"success": True, "attempts": tries})
        assert read_attempts({"attempts": 3}).count == 3
        assert (found.count, found.attempts[0].verified, found.attempts[0].note) == (2, False, "2 tests red")

    @pytest.mark.parametrize("count", [True, -1, 0, 10**9, "3", None, {}])
    def test_ignores_an_invalid_count(self, count):
        assert read_attempts({"attempts": count}).count is None

    @pytest.mark.parametrize(
        ("data", "score"),
        [
            ({"trustScore": 0.92}, 92),
            ({"verification": {"trust_score": 80}}, 80),
            ({"retry": {"trustScore": 0}}, 0),
            ({"trustScore": 400}, None),
            ({"trustScore": True}, None),
        ],
    )
    def test_trust_score_is_a_percentage(self, data, score):
        assert read_attempts(data).trust_score == score

    def test_distinguishes_claim_and_verification(self):
        found = read_attempts({"success": True, "testsPass": False})
        assert (found.claimed, found.verified) == (True, False)
