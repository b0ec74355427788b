import pytest
from django.test import Client

from billing.models import BillingAccount
from customers.models import ApiKey, Customer, Membership, User
from provisioning.models import ProvisioningEvent, SignupRequest
from tests.conftest import ApiClient
from tests.factories import CustomerFactory, UserFactory
from tests.signup import FORM, JOIN, deliver_mails, read_onboarding_link

SENT = {"name": "Acme", "email": "alice@acme.test"}


def onboard_many(count):
    """Onboard so many addresses, each with a different X-Forwarded-For."""
    return [
        onboard(SENT | {"email": f"alice{n}@acme.test"}, X_Forwarded_For=f"203.0.113.{n}")
        for n in range(count)
    ]


def onboard(body=None, **headers):
    client = Client(raise_request_exception=False)
    return client.post(
        "/api/v1/customers/onboard", body or SENT, content_type="application/json", headers=headers
    )


@pytest.mark.django_db
class TestOnboard:
    def test_returns_a_customer_id_and_a_key_that_works_after_confirmation(
        self, django_capture_on_commit_callbacks
    ):
        response = onboard()
        assert response.status_code == 201
        answer = response.json()
        assert answer["customer"] == {
            "id": str(SignupRequest.objects.get().pk),
            "name": "Acme",
            "email": "alice@acme.test",
            "subscription_type": "trial",
            "trial_fixes_limit": 10,
            "trial_fixes_used": 0,
        }
        rejected = ApiClient(answer["api_key"]).get("/api/v1/entitlement")
        assert (rejected.status_code, rejected.json()["error"]["code"]) == (401, "INVALID_API_KEY")
        with django_capture_on_commit_callbacks(execute=True):
            Client().post(read_onboarding_link(), JOIN | {"answer": "activate"})
        assert str(Customer.objects.get().pk) == answer["customer"]["id"]
        assert ApiClient(answer["api_key"]).get("/api/v1/entitlement").status_code == 200

    def test_creates_only_a_request_and_one_mail(self, mailoutbox):
        onboard()
        deliver_mails()
        for model in (Customer, User, Membership, ApiKey, BillingAccount, ProvisioningEvent):
            assert not model.objects.exists(), model
        assert [mail.to for mail in mailoutbox] == [["alice@acme.test"]]

    def test_ignores_all_fields_but_name_and_email(self):
        onboard(SENT | {"plan": "teams", "trial_fixes_limit": 999, "is_staff": True, "id": "1"})
        Client().post(read_onboarding_link(), JOIN | {"answer": "activate"})
        assert BillingAccount.objects.get().trial_fixes_limit == 10
        assert BillingAccount.objects.get().plan == "trial"
        assert not User.objects.get().is_staff

    def test_needs_no_key_and_ignores_an_invalid_one(self):
        assert onboard(X_API_Key="nonsense").status_code == 201

    @pytest.mark.parametrize(
        "email",
        ["nonsense", "a@b", "x" * 250 + "@acme.test", "alice@mailinator.com", "alice@acme.test, b@c.test"]
        + ["alice@localhost", "alice@[127.0.0.1]"],
    )
    def test_rejects_an_invalid_or_disposable_address(self, email):
        response = onboard(SENT | {"email": email})
        assert response.status_code == 422
        assert response.json()["error"]["code"] == "VALIDATION_FAILED"
        assert list(response.json()["error"]["fields"]) == ["email"]
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [{"name": "", "email": "a@b.test"}, {"name": "A"}, {"name": ["A"], "email": {}}, {"name": "A\x00"}],
    )
    def test_invalid_body_is_a_bad_request(self, body):
        response = onboard(body)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "INVALID_REQUEST"
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("name", ["see https://evil.test", "Reset at www.evil.test", "ceo@acme.test"])
    def test_rejects_a_name_with_a_link(self, name):
        response = onboard(SENT | {"name": name})
        assert (response.status_code, list(response.json()["error"]["fields"])) == (422, ["name"])
        assert not SignupRequest.objects.exists()

    def test_rejects_an_address_of_a_user_without_account(self):
        UserFactory(email="alice@acme.test")
        assert onboard().status_code == 422
        assert not SignupRequest.objects.exists()

    def test_unconfirmed_request_does_not_block_the_address(self):
        assert [onboard(X_Forwarded_For="203.0.113.1").status_code for _ in range(2)] == [201, 201]

    def test_has_a_global_limit(self, settings):
        settings.ONBOARDINGS_PER_HOUR, settings.TRUSTED_PROXY_COUNT = 2, 1
        assert [answer.status_code for answer in onboard_many(3)] == [201, 201, 429]
        assert Client().post("/accounts/signup/", FORM).status_code == 302

    def test_response_does_not_reveal_an_address_in_use(self):
        CustomerFactory(email="alice@acme.test")
        used, disposable = onboard(), onboard(SENT | {"email": "alice@mailinator.com"})
        assert used.status_code == disposable.status_code == 422
        assert used.json()["error"] == disposable.json()["error"]
        assert not ApiKey.objects.exists()

    def test_mailbox_has_three_attempts_a_day(self):
        answers = [onboard(SENT | {"email": f"alice{tag}@acme.test"}) for tag in ("", "+a", "+b", "+c")]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        assert int(answers[-1].headers["Retry-After"]) > 60

    @pytest.mark.parametrize("aliases", [("a.nn@gmail.com", "ann@googlemail.com", "Ann+x@gmail.com")])
    def test_aliases_count_as_one_mailbox(self, aliases):
        answers = [onboard(SENT | {"email": email}) for email in ("ann@gmail.com", *aliases)]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]

    def test_network_address_has_ten_attempts_an_hour(self):
        answers = [
            onboard(SENT | {"email": f"alice{n}@acme.test"}, X_Forwarded_For=f"203.0.113.{n}")
            for n in range(11)
        ]
        assert [answer.status_code for answer in answers] == [201] * 10 + [429]

    def test_reads_the_address_from_a_trusted_proxy(self, settings):
        settings.TRUSTED_PROXY_COUNT = 1
        answers = [
            onboard(SENT | {"email": f"alice{n}@acme.test"}, X_Forwarded_For=f"203.0.113.{n}")
            for n in range(11)
        ]
        assert {answer.status_code for answer in answers} == {201}
