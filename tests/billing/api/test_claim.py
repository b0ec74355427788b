from datetime import datetime

import pytest
from django.utils import timezone

from customers.services.prove_namespace import prove_namespace
from tests.factories import BillingAccountFactory

CLAIM = "/api/v1/entitlement/claim"
BODY = {"repo": "acme/shop", "issueNumber": 7}


class TestClaim:
    def test_is_granted_for_a_time(self, alice_api):
        response = alice_api.post(CLAIM, BODY)
        assert response.status_code == 201
        assert response.json()["granted"] is True
        assert datetime.fromisoformat(response.json()["expiresAt"]) > timezone.now()

    def test_is_granted_again_for_the_same_issue(self, alice_api):
        BillingAccountFactory(customer=alice_api.customer, trial_fixes_limit=1)
        answers = [alice_api.post(CLAIM, BODY).status_code for _ in range(2)]
        assert answers == [201, 201]

    def test_is_rejected_with_the_reason_and_what_to_do(self, alice_api):
        BillingAccountFactory(customer=alice_api.customer, trial_fixes_limit=0)
        response = alice_api.post(CLAIM, BODY)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (402, "USAGE_LIMIT_EXCEEDED")
        assert error["fields"] == {"blockedReason": "trial_exhausted"}
        assert "Choose a plan: http" in error["message"]

    def test_replays_its_answer_to_the_same_idempotency_key(self, alice_api):
        first, second = (alice_api.post(CLAIM, BODY, Idempotency_Key="k") for _ in range(2))
        assert second["Idempotent-Replayed"] == "true"
        assert first.json() == second.json()

    def test_of_a_namespace_in_use_reveals_nothing(self, alice_api, mallory_api):
        assert alice_api.post(CLAIM, BODY).status_code == 201
        assert mallory_api.post(CLAIM, BODY).status_code == 201

    def test_of_a_namespace_proven_by_another_customer_is_rejected(self, alice_api, mallory_api):
        prove_namespace(customer=alice_api.customer, namespace="acme", at=timezone.now())
        assert mallory_api.post(CLAIM, BODY).json()["error"]["code"] == "FORBIDDEN"

    def test_without_a_key_is_rejected(self, client, db):
        assert client.post(CLAIM, BODY, content_type="application/json").status_code == 401

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"repo": "acme/shop"}, "MISSING_PARAMETERS"),
            ({"issueNumber": 7}, "MISSING_PARAMETERS"),
            ({"repo": "acme", "issueNumber": 7}, "INVALID_REQUEST"),
            ({"repo": "acme/shop", "issueNumber": 0}, "INVALID_REQUEST"),
            ({"repo": "acme/shop", "issueNumber": "seven"}, "INVALID_REQUEST"),
        ],
    )
    def test_that_cannot_be_read_is_rejected(self, alice_api, body, code):
        response = alice_api.post(CLAIM, body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, code)

    def test_accepts_the_other_spelling(self, alice_api):
        assert alice_api.post(CLAIM, {"repo": "acme/shop", "issue_number": 7}).status_code == 201


class TestEntitlement:
    def test_says_that_the_cap_is_reached(self, alice_api):
        BillingAccountFactory(customer=alice_api.customer, plan="payg", status="active", spend_cap_cents=1000)
        shown = alice_api.get("/api/v1/entitlement").json()
        assert shown["spendCapCents"] == 1000
        assert (shown["blockedReason"], shown["canUseService"]) == ("spend_cap_reached", False)

    def test_omits_a_cap_that_is_not_set(self, alice_api):
        assert "spendCapCents" not in alice_api.get("/api/v1/entitlement").json()
