import tracemalloc

import pytest

from phases.facts import read_facts
from phases.retries import read_retries

FLAW = {"type": "sql_injection", "severity": "Critical", "description": "The query\n is put together"}


class TestReadFacts:
    def test_a_scan_counts_its_findings(self):
        assert read_facts("scan", {"vulnerabilities": [FLAW, FLAW, "odd"]}).findings == 2

    def test_a_proof_names_its_flaw_in_one_line(self):
        facts = read_facts("validation", {"vulnerabilities": [FLAW]})
        assert (facts.severity, facts.flaw_type) == ("critical", "sql_injection")
        assert facts.title == "The query is put together"

    def test_a_title_of_a_million_words_takes_no_memory(self):
        data = {"title": "a " * 1_000_000, "severity": "high " * 1_000_000}
        tracemalloc.start()
        assert len(read_facts("validation", data).title) == 200
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1_000_000

    @pytest.mark.parametrize(
        ("word", "severity"), [("HIGH", "high"), ("moderate", "medium"), ("grave", ""), (9, "")]
    )
    def test_knows_four_severities(self, word, severity):
        assert read_facts("mitigation", {"severity": word}).severity == severity

    @pytest.mark.parametrize("data", [{}, {"vulnerabilities": 3}, {"vulnerabilities": [None]}, {"type": []}])
    def test_tolerates_any_data(self, data):
        assert read_facts("validation", data).flaw_type == ""

    def test_texts_fit_their_columns(self):
        facts = read_facts("mitigation", {"title": "x" * 999, "vulnerabilityType": "y" * 999})
        assert (len(facts.title), len(facts.flaw_type)) == (200, 60)


class TestReadRetries:
    def test_attempts_may_be_a_number_or_a_list(self):
        tries = [{"claimed": True, "verified": False, "error": "2 tests red"}, {"verified": True}]
        found = read_retries({"success": True, "attempts": tries})
        assert read_retries({"attempts": 3}).attempts == 3
        assert (found.attempts, found.tries[0].verified, found.tries[0].note) == (2, False, "2 tests red")

    @pytest.mark.parametrize("count", [True, -1, 0, 10**9, "3", None, {}])
    def test_what_is_no_count_is_not_said(self, count):
        assert read_retries({"attempts": count}).attempts is None

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
    def test_a_trust_score_is_in_percent(self, data, score):
        assert read_retries(data).trust_score == score

    def test_a_claim_is_told_from_its_verification(self):
        found = read_retries({"success": True, "testsPass": False})
        assert (found.claimed, found.verified) == (True, False)
