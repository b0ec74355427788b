import pytest

from phases.outcomes import find_pull_request_url, judge_outcome


class TestJudgeOutcome:
    @pytest.mark.parametrize(
        "data",
        [
            {"fixed": True, "prUrl": "https://github.com/a/b/pull/1", "fixCommit": "abc"},
            {"success": True, "issueNumber": 1, "prCreated": True, "testsPass": True, "attempts": 2},
            {"status": "success"},
            {"fixed": True, "verification": {"testsPass": True}},
        ],
    )
    def test_both_families_of_mitigation_succeed(self, data):
        assert judge_outcome("mitigation", data) == "succeeded"

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"success": False, "error": "no patch"},
            {"fixed": "true"},
            {"fixed": 1},
            {"prUrl": "https://x.test"},
        ],
    )
    def test_what_does_not_claim_success_failed(self, data):
        assert judge_outcome("mitigation", data) == "failed"

    @pytest.mark.parametrize(
        "contradiction",
        [
            {"testsPass": False},
            {"verified": False},
            {"verification": {"testsPass": False}},
            {"verification": {"passed": False}},
            {"verification": False},
        ],
    )
    def test_a_claim_that_its_tests_contradict_is_unverified(self, contradiction):
        assert judge_outcome("mitigation", {"success": True} | contradiction) == "unverified"

    def test_a_validation_succeeds_when_it_proved_its_vulnerability(self):
        assert judge_outcome("validation", {"validated": True}) == "succeeded"
        assert judge_outcome("validation", {"validated": False, "falsePositiveReason": "dead"}) == "failed"

    def test_a_stored_scan_succeeded(self):
        assert judge_outcome("scan", {"vulnerabilities": []}) == "succeeded"


class TestFindPullRequestUrl:
    def test_takes_a_web_address(self):
        assert (
            find_pull_request_url({"prUrl": "https://github.com/a/b/pull/1"})
            == "https://github.com/a/b/pull/1"
        )

    @pytest.mark.parametrize(
        "url",
        [
            *(
                "javascript:alert(1)",
                "//evil.test",
                "",
                None,
                7,
                ["x"],
                "https://[",
                "https://x/" + "a" * 600,
            ),
            "https://evil.example/a/b/pull/1",
        ],
    )
    def test_leaves_out_what_is_not_fit_to_be_a_link(self, url):
        assert find_pull_request_url({"prUrl": url}) == ""
