"""The page behind the link in an onboarding mail."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from customers.models import ApiKey, AuditLogEntry, Customer, Membership, User
from customers.services.authenticate_key import authenticate_api_key
from provisioning.models import OutgoingMail, ProvisioningEvent, SignupRequest
from tests.customers.team import make_person
from tests.signup import JOIN, deliver_mails, read_onboarding_link
from tests.tenants import Browser

pytestmark = pytest.mark.django_db
ALICE = "alice@acme.test"
ACTIVATE = JOIN | {"answer": "activate"}


@pytest.fixture
def raw() -> str:
    """The key that was returned to the principal."""
    sent = {"name": "Acme \u202eLtd", "email": ALICE}
    answer = Client().post("/api/v1/customers/onboard", sent, content_type="application/json")
    return str(answer.json()["api_key"])


@pytest.fixture
def path(raw: str) -> str:
    return read_onboarding_link()


def snapshot() -> list[list[Any]]:
    models = (SignupRequest, Customer, User, Membership, ApiKey, OutgoingMail, ProvisioningEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


class TestView:
    @pytest.mark.parametrize("method", ["get", "head"])
    def test_changes_nothing(self, path: str, method: str) -> None:
        before = snapshot()
        for _ in range(3):
            assert getattr(Client(), method)(path).status_code == 200
        assert snapshot() == before

    def test_shows_the_request_its_address_and_the_key_prefix(self, raw: str, path: str) -> None:
        page = Client().get(path)
        for text in ("Acme Ltd", ALICE, "127.0.0.1", raw[:12]):
            assert text in page.text
        assert raw not in page.text
        assert "no-store" in page.headers["Cache-Control"]

    def test_unknown_token_is_gone(self, path: str) -> None:
        assert Client().get("/onboarding/nonsense/").status_code == 410


class TestMail:
    def test_contains_address_and_key_prefix_and_quotes_the_name(self, raw: str, path: str) -> None:
        sent = mail.outbox[-1]
        assert sent.subject == "Did you request an RSOLV account?"
        assert "127.0.0.1" in sent.body
        assert f"{raw[:12]}…" in sent.body
        assert 'called "Acme Ltd"' in sent.body
        assert raw not in sent.body

    def test_contains_no_link_from_the_caller(self) -> None:
        name = "Pay now at evil.example or write to boss(at)evil.example"
        sent = {"name": name, "email": ALICE}
        Client().post("/api/v1/customers/onboard", sent, content_type="application/json")
        deliver_mails()
        text = mail.outbox[-1].body + mail.outbox[-1].alternatives[0][0]
        assert "evil.example" not in text

    def test_token_is_cleared_after_sending(self, path: str) -> None:
        assert OutgoingMail.objects.get().text == ""
        assert path.split("/")[2] not in str(list(SignupRequest.objects.values()))


class TestActivate:
    def test_creates_account_and_user_and_activates_the_key(self, raw: str, path: str) -> None:
        client = Client()
        page = client.post(path, ACTIVATE, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/"
        customer = Customer.objects.get()
        principal = authenticate_api_key(raw)
        assert principal is not None
        assert principal.customer_id == customer.pk
        owner = Membership.objects.get().user
        assert (owner.email, owner.name, owner.check_password(JOIN["password"])) == (ALICE, "Alice", True)

    def test_schedules_the_steps_from_the_confirmation(
        self, path: str, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.move_to(timezone.now() + timedelta(hours=20))
        Client().post(path, ACTIVATE)
        due = ProvisioningEvent.objects.get(step="mail_day_1").due_at
        assert due - timezone.now() > timedelta(hours=23)
        assert timezone.now() - Customer.objects.get().created_at < timedelta(minutes=1)

    def test_is_recorded_in_the_audit_log(self, path: str) -> None:
        Client().post(path, ACTIVATE)
        assert AuditLogEntry.objects.get(action="key_made").actor_name == ALICE

    def test_works_once(self, path: str) -> None:
        assert Client().post(path, ACTIVATE).status_code == 302
        assert Client().post(path, ACTIVATE).status_code == 410
        assert Customer.objects.count() == 1

    def test_expires_after_a_day(self, raw: str, path: str, time_machine: TimeMachineFixture) -> None:
        time_machine.move_to(timezone.now() + timedelta(days=1))
        assert Client().post(path, ACTIVATE).status_code == 410
        assert authenticate_api_key(raw) is None

    @pytest.mark.parametrize("changes", [{"password": "short"}, {"name": ""}, {"password": ""}])
    def test_requires_a_name_and_a_password(self, path: str, changes: dict[str, str]) -> None:
        assert Client().post(path, ACTIVATE | changes).status_code == 422
        assert not User.objects.exists()

    def test_can_create_a_new_key_instead(self, raw: str, path: str) -> None:
        page = Client().post(path, JOIN | {"answer": "new_key"}, follow=True)
        assert authenticate_api_key(raw) is None
        assert 'id="new-api-key"' in page.text

    def test_missing_answer_activates_no_key(self, raw: str, path: str) -> None:
        Client().post(path, JOIN)
        assert authenticate_api_key(raw) is None


class TestDeny:
    def test_deletes_the_request(self, raw: str, path: str) -> None:
        assert Client().post(path, {"answer": "deny"}).status_code == 200
        assert not SignupRequest.objects.exists()
        assert Client().post(path, ACTIVATE).status_code == 410
        assert authenticate_api_key(raw) is None


class TestExistingUser:
    def test_must_log_in_first(self, path: str) -> None:
        make_person(ALICE)
        page = Client().post(path, ACTIVATE)
        assert "After you log in, you return to this page" in page.text
        assert not Customer.objects.exists()

    def test_can_activate_after_login(self, raw: str, path: str) -> None:
        person, client = make_person(ALICE), Client()
        client.force_login(person)
        assert "password" not in client.get(path).text
        client.post(path, {"answer": "activate"})
        assert Membership.objects.get().user == person
        assert authenticate_api_key(raw) is not None

    def test_another_user_cannot_activate(self, raw: str, path: str, mallory: Browser) -> None:
        page = mallory.post(path, ACTIVATE)
        assert "Log out and open the link again" in page.text
        assert authenticate_api_key(raw) is None
        assert not User.objects.filter(email=ALICE).exists()
