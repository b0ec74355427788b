"""The page that the link of an onboarding's mail opens."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from customers.models import ApiKey, AuditLogEntry, Customer, Membership, User
from customers.services.authenticate_key import authenticate_api_key
from provisioning.models import OutgoingMail, ProvisioningEvent, SignupRequest
from tests.customers.team import make_person
from tests.factories import MembershipFactory
from tests.signup import JOIN, deliver_mails, read_onboarding_link

pytestmark = pytest.mark.django_db
ANN = "ann@acme.test"
ACTIVATE = JOIN | {"answer": "activate"}


@pytest.fixture
def raw() -> str:
    """The key that was handed to the caller."""
    sent = {"name": "Acme \u202eLtd", "email": ANN}
    answer = Client().post("/api/v1/customers/onboard", sent, content_type="application/json")
    return str(answer.json()["api_key"])


@pytest.fixture
def path(raw: str) -> str:
    return read_onboarding_link()


def snapshot() -> list[list[Any]]:
    models = (SignupRequest, Customer, User, Membership, ApiKey, OutgoingMail, ProvisioningEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


class TestLooking:
    @pytest.mark.parametrize("method", ["get", "head"])
    def test_changes_nothing(self, path: str, method: str) -> None:
        before = snapshot()
        for _ in range(3):
            assert getattr(Client(), method)(path).status_code == 200
        assert snapshot() == before

    def test_says_what_was_asked_from_where_and_which_key(self, raw: str, path: str) -> None:
        page = Client().get(path)
        for text in ("Acme Ltd", ANN, "127.0.0.1", raw[:12]):
            assert text in page.text
        assert raw not in page.text
        assert "no-store" in page.headers["Cache-Control"]

    def test_a_token_that_is_none_opens_nothing(self, path: str) -> None:
        assert Client().get("/onboarding/nonsense/").status_code == 410


class TestTheMail:
    def test_names_caller_time_and_key_and_quotes_the_name(self, raw: str, path: str) -> None:
        sent = mail.outbox[-1]
        assert sent.subject == "Did you request an RSOLV account?"
        assert "127.0.0.1" in sent.body
        assert f"{raw[:12]}…" in sent.body
        assert 'called "Acme Ltd"' in sent.body
        assert raw not in sent.body

    def test_carries_no_link_of_the_callers(self) -> None:
        name = "Pay now at evil.example or write to boss(at)evil.example"
        sent = {"name": name, "email": ANN}
        Client().post("/api/v1/customers/onboard", sent, content_type="application/json")
        deliver_mails()
        text = mail.outbox[-1].body + mail.outbox[-1].alternatives[0][0]
        assert "evil.example" not in text

    def test_is_kept_without_its_token_once_sent(self, path: str) -> None:
        assert OutgoingMail.objects.get().text == ""
        assert path.split("/")[2] not in str(list(SignupRequest.objects.values()))


class TestActivating:
    def test_makes_account_and_login_and_the_key_works(self, raw: str, path: str) -> None:
        client = Client()
        page = client.post(path, ACTIVATE, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/"
        customer = Customer.objects.get()
        caller = authenticate_api_key(raw)
        assert caller is not None
        assert caller.customer_id == customer.pk
        owner = Membership.objects.get().user
        assert (owner.email, owner.name, owner.check_password(JOIN["password"])) == (ANN, "Ann", True)

    def test_begins_the_steps_and_counts_from_then(self, path: str) -> None:
        SignupRequest.objects.update(created_at=timezone.now() - timedelta(hours=20))
        Client().post(path, ACTIVATE)
        due = ProvisioningEvent.objects.get(step="mail_day_1").due_at
        assert due - timezone.now() > timedelta(hours=23)
        assert timezone.now() - Customer.objects.get().created_at < timedelta(minutes=1)

    def test_stands_in_the_audit_log(self, path: str) -> None:
        Client().post(path, ACTIVATE)
        assert AuditLogEntry.objects.get(action="key_made").actor_name == ANN

    def test_works_once(self, path: str) -> None:
        assert Client().post(path, ACTIVATE).status_code == 302
        assert Client().post(path, ACTIVATE).status_code == 410
        assert Customer.objects.count() == 1

    def test_is_over_after_a_day(self, raw: str, path: str) -> None:
        SignupRequest.objects.update(expires_at=timezone.now())
        assert Client().post(path, ACTIVATE).status_code == 410
        assert authenticate_api_key(raw) is None

    @pytest.mark.parametrize("changes", [{"password": "short"}, {"name": ""}, {"password": ""}])
    def test_wants_a_name_and_a_password(self, path: str, changes: dict[str, str]) -> None:
        assert Client().post(path, ACTIVATE | changes).status_code == 422
        assert not User.objects.exists()

    def test_without_the_callers_key_makes_another(self, raw: str, path: str) -> None:
        page = Client().post(path, JOIN | {"answer": "new_key"}, follow=True)
        assert authenticate_api_key(raw) is None
        assert 'id="new-api-key"' in page.text

    def test_an_answer_that_is_none_activates_no_key(self, raw: str, path: str) -> None:
        Client().post(path, JOIN)
        assert authenticate_api_key(raw) is None


class TestDenying:
    def test_deletes_the_request(self, raw: str, path: str) -> None:
        assert Client().post(path, {"answer": "deny"}).status_code == 200
        assert not SignupRequest.objects.exists()
        assert Client().post(path, ACTIVATE).status_code == 410
        assert authenticate_api_key(raw) is None


class TestWhoeverHasALoginByThen:
    def test_logs_in_first(self, path: str) -> None:
        make_person(ANN)
        page = Client().post(path, ACTIVATE)
        assert "After you log in, you return to this page" in page.text
        assert not Customer.objects.exists()

    def test_confirms_logged_in(self, raw: str, path: str) -> None:
        person, client = make_person(ANN), Client()
        client.force_login(person)
        assert "password" not in client.get(path).text
        client.post(path, {"answer": "activate"})
        assert Membership.objects.get().user == person
        assert authenticate_api_key(raw) is not None

    def test_somebody_else_cannot(self, raw: str, path: str) -> None:
        stranger, client = MembershipFactory().user, Client()
        client.force_login(stranger)
        page = client.post(path, ACTIVATE)
        assert "Log out and open the link again" in page.text
        assert authenticate_api_key(raw) is None
        assert not User.objects.filter(email=ANN).exists()
