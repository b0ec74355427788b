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
    def test_both_formats_of_mitigation_succeed(self, data):
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
    def test_mitigation_without_a_claim_of_success_fails(self, data):
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
    def test_claim_contradicted_by_tests_is_unverified(self, contradiction):
        assert judge_outcome("mitigation", {"success": True} | contradiction) == "unverified"

    def test_validation_succeeds_if_it_proved_the_vulnerability(self):
        assert judge_outcome("validation", {"validated": True}) == "succeeded"
        assert judge_outcome("validation", {"validated": False, "falsePositiveReason": "dead"}) == "failed"

    def test_scan_always_succeeds(self):
        assert judge_outcome("scan", {"vulnerabilities": []}) == "succeeded"


class TestFindPullRequestUrl:
    def test_returns_an_https_url(self):
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
    def test_ignores_unsafe_urls(self, url):
        assert find_pull_request_url({"prUrl": url}) == ""
