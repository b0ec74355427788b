import pytest

from phases.test_integration import services as engine
from tests.core.metrics.pages import Growth
from tests.phases.api.test_test_integration import ANALYZE, GENERATE, generate_body

NAMES = "rsolv_test_integration"
BODY = {"vulnerableFile": "app/users.rb", "candidateTestFiles": [], "framework": "rspec"}
STORE = "/api/v1/phases/store"
FIX = {"phase": "mitigation", "repo": "acme/shop", "commitSha": "abc", "issueNumber": 7}


def grown(action, **labels):
    return Growth(f"{NAMES}_{action}_total", **({"language": "none", "method": "none"} | labels))


class TestAnalyze:
    def test_is_counted_and_timed(self, alice_api):
        total = grown("analyze", framework="rspec", status="success")
        timed = Growth(f"{NAMES}_analyze_duration_seconds_count", framework="rspec")
        alice_api.post(ANALYZE, BODY | {"framework": "RSpec"})
        assert (total.so_far, timed.so_far) == (1, 1)

    @pytest.mark.parametrize("sent", ["qunit", "rspec\nx", 7, ["rspec"], {"a": 1}])
    def test_has_no_label_with_client_input(self, alice_api, sent):
        total = grown("analyze", framework="other", status="rejected")
        timed = Growth(f"{NAMES}_analyze_duration_seconds_count", framework="other")
        assert alice_api.post(ANALYZE, BODY | {"framework": sent}).status_code == 400
        assert (total.so_far, timed.so_far) == (1, 0)

    def test_counts_failures_separately_from_rejections(self, alice_api, monkeypatch):
        def fail(**_):
            raise ZeroDivisionError

        monkeypatch.setattr(engine, "analyze", fail)
        total = grown("analyze", framework="rspec", status="failed")
        assert alice_api.post(ANALYZE, BODY).status_code == 500
        assert total.so_far == 1

    def test_without_a_key_is_not_counted(self, alice_api):
        total = grown("analyze", framework="rspec", status="rejected")
        alice_api.key = "rsolv_nope"
        alice_api.post(ANALYZE, BODY)
        assert total.so_far == 0


class TestGenerate:
    def test_is_counted_with_its_lines(self, alice_api):
        body = generate_body()
        labels = {"framework": body["framework"], "language": body["language"]}
        total = grown("generate", **labels, method="ast", status="success")
        lines = Growth(f"{NAMES}_generate_lines_integrated_sum", framework=body["framework"])
        made = alice_api.post(GENERATE, body).json()["integratedContent"]
        assert total.so_far == 1
        assert lines.so_far == len(made.splitlines()) - len(body["targetFileContent"].splitlines()) > 0


class TestStored:
    def test_counts_changes_but_no_repetitions(self, alice_api, django_capture_on_commit_callbacks):
        succeeded = Growth("rsolv_phases_stored_total", phase="mitigation", outcome="succeeded")
        failed = Growth("rsolv_phases_stored_total", phase="mitigation", outcome="failed")
        with django_capture_on_commit_callbacks(execute=True):
            for fixed in (False, False, True, True):
                alice_api.post(STORE, FIX | {"data": {"fixed": fixed}})
        assert (failed.so_far, succeeded.so_far) == (1, 1)

    @pytest.mark.django_db(transaction=True)
    def test_does_not_count_a_rolled_back_result(self, alice_api, monkeypatch):
        def fail(**_):
            raise ZeroDivisionError

        monkeypatch.setattr("billing.receivers.record_usage", fail)
        stored = Growth("rsolv_phases_stored_total", phase="mitigation", outcome="succeeded")
        assert alice_api.post(STORE, FIX | {"data": {"fixed": True}}).status_code == 500
        assert stored.so_far == 0
