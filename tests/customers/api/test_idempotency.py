from datetime import timedelta

import pytest
from django.utils import timezone

from customers.api.idempotency import prune_answers
from customers.models import IdempotentAnswer
from phases.models import PhaseExecution

PATH = "/api/v1/phases/store"
BODY = {"phase": "scan", "repo": "acme/shop", "commitSha": "abc", "data": {"n": 1}}


def store(client, key="key-1", **changes):
    return client.post(PATH, BODY | changes, Idempotency_Key=key)


def forget_response():
    """Leave the row as it is until a request ends, or if its process dies."""
    IdempotentAnswer.objects.update(status_code=None, body="")


class TestIdempotencyKey:
    def test_same_request_replays_the_response(self, alice_api):
        first, again = store(alice_api), store(alice_api)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again["Idempotent-Replayed"] == "true"

    def test_other_body_is_rejected(self, alice_api):
        store(alice_api)
        response = store(alice_api, data={"n": 2})
        assert (response.status_code, response.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
        assert PhaseExecution.objects.get().data == '{"n": 1}'

    def test_conflicts_while_the_first_request_runs(self, alice_api):
        store(alice_api)
        forget_response()
        response = store(alice_api)
        assert (response.status_code, response.json()["error"]["code"]) == (409, "CONFLICT")

    def test_runs_again_after_the_first_process_died(self, alice_api, time_machine):
        store(alice_api)
        forget_response()
        time_machine.move_to(timezone.now() + timedelta(minutes=2))
        assert store(alice_api).status_code == 200
        assert PhaseExecution.objects.count() == 1

    def test_rejected_request_does_not_use_up_the_key(self, alice_api):
        assert store(alice_api, phase="deploy").status_code == 400
        assert store(alice_api).status_code == 200

    def test_key_is_scoped_to_the_customer(self, alice_api, mallory_api):
        store(alice_api)
        assert store(mallory_api, repo="other/shop").status_code == 200

    @pytest.mark.parametrize("key", ["", "a" * 256, "a b"])
    def test_invalid_key_is_rejected(self, alice_api, key):
        assert store(alice_api, key=key).status_code == 400

    def test_responses_are_pruned_after_a_day(self, alice_api):
        store(alice_api)
        assert prune_answers(at=timezone.now()) == 0
        assert prune_answers(at=timezone.now() + timedelta(hours=25)) == 1

    def test_keeps_only_the_newest_responses_of_a_busy_customer(self, alice_api, mallory_api, monkeypatch):
        monkeypatch.setattr("customers.api.idempotency.MAX_STORED", 2)
        now = timezone.now()
        for client in (alice_api, mallory_api):
            for age in range(4 if client is alice_api else 2):
                IdempotentAnswer.objects.create(
                    customer=client.customer,
                    key=f"{age}",
                    fingerprint="",
                    status_code=200,
                    started_at=now - timedelta(minutes=age),
                )
        assert prune_answers(at=now) == 2
        assert sorted(
            IdempotentAnswer.objects.filter(customer=alice_api.customer).values_list("key", flat=True)
        ) == [
            "0",
            "1",
        ]
