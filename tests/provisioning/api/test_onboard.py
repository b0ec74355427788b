import pytest
from django.test import Client

from billing.models import BillingAccount
from customers.models import ApiKey, Customer, User
from tests.conftest import ApiClient
from tests.factories import CustomerFactory

SENT = {"name": "Acme", "email": "ann@acme.test"}


def onboard_many(count):
    """From as many addresses as the caller claims to have."""
    return [
        onboard(SENT | {"email": f"ann{n}@acme.test"}, X_Forwarded_For=f"203.0.113.{n}") for n in range(count)
    ]


def onboard(body=None, **headers):
    client = Client(raise_request_exception=False)
    return client.post(
        "/api/v1/customers/onboard", body or SENT, content_type="application/json", headers=headers
    )


@pytest.mark.django_db
class TestOnboard:
    def test_answers_with_the_customer_and_a_key_that_works(self):
        response = onboard()
        assert response.status_code == 201
        answer = response.json()
        assert answer["customer"] == {
            "id": str(Customer.objects.get().pk),
            "name": "Acme",
            "email": "ann@acme.test",
            "subscription_type": "trial",
            "trial_fixes_limit": 10,
            "trial_fixes_used": 0,
        }
        assert ApiClient(answer["api_key"]).get("/api/v1/entitlement").status_code == 200

    def test_reads_nothing_but_name_and_email(self):
        onboard(SENT | {"plan": "teams", "trial_fixes_limit": 999, "is_staff": True, "id": "1"})
        assert BillingAccount.objects.get().trial_fixes_limit == 10
        assert BillingAccount.objects.get().plan == "trial"
        assert not User.objects.get().is_staff

    def test_needs_no_key_and_minds_none(self):
        assert onboard(X_API_Key="nonsense").status_code == 201

    @pytest.mark.parametrize(
        "email",
        ["nonsense", "a@b", "x" * 250 + "@acme.test", "ann@mailinator.com", "ann@acme.test, b@c.test"],
    )
    def test_an_address_that_is_no_good_is_named_and_makes_nothing(self, email):
        response = onboard(SENT | {"email": email})
        assert response.status_code == 422
        assert response.json()["error"]["code"] == "VALIDATION_FAILED"
        assert list(response.json()["error"]["fields"]) == ["email"]
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [{"name": "", "email": "a@b.test"}, {"name": "A"}, {"name": ["A"], "email": {}}, {"name": "A\x00"}],
    )
    def test_a_shape_that_is_none_is_a_bad_request(self, body):
        response = onboard(body)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "INVALID_REQUEST"
        assert not Customer.objects.exists()

    def test_an_address_in_use_is_refused_as_a_disposable_one_is(self):
        CustomerFactory(email="ann@acme.test")
        used, disposable = onboard(), onboard(SENT | {"email": "ann@mailinator.com"})
        assert used.status_code == disposable.status_code == 422
        assert used.json()["error"] == disposable.json()["error"]
        assert not ApiKey.objects.exists()

    def test_a_mailbox_has_three_tries_a_day(self):
        answers = [onboard(SENT | {"email": f"ann{tag}@acme.test"}) for tag in ("", "+a", "+b", "+c")]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        assert int(answers[-1].headers["Retry-After"]) > 60

    def test_a_network_address_has_ten_an_hour_whatever_it_claims_to_be(self):
        answers = [
            onboard(SENT | {"email": f"ann{n}@acme.test"}, X_Forwarded_For=f"203.0.113.{n}")
            for n in range(11)
        ]
        assert [answer.status_code for answer in answers] == [201] * 10 + [429]

    def test_a_trusted_proxy_says_who_calls(self, settings):
        settings.TRUSTED_PROXY_COUNT = 1
        answers = [
            onboard(SENT | {"email": f"ann{n}@acme.test"}, X_Forwarded_For=f"203.0.113.{n}")
            for n in range(11)
        ]
        assert {answer.status_code for answer in answers} == {201}
