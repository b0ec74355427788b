"""Sign-in: the second factor, new devices, audit log entries and limits on guessing."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.test import Client

from customers.models import AuditLogEntry, Membership
from tests.customers.team import make_person
from tests.factories import MembershipFactory
from tests.signup import deliver_mails
from tests.tenants import trust_login

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
LOGIN = "/accounts/login/"
TOTP = "/accounts/2fa/totp/activate/"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/142.0"}


@pytest.fixture
def owner() -> Membership:
    return MembershipFactory(user=make_person("alice@acme.test"))


def log_in(
    client: Client | None = None, password: str = PASSWORD, address: str = "192.0.2.7", **headers: str
) -> Any:
    client = client or Client()
    sent = {"login": "alice@acme.test", "password": password}
    page = client.post(LOGIN, sent, REMOTE_ADDR=address, headers=headers or FIREFOX, follow=True)
    return client, page


def make_code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def turn_on(client: Client) -> str:
    """Set up the authenticator app and return its secret."""
    trust_login(client)
    shown = re.search(r'id="secret">([A-Z2-7]+)<', client.get(TOTP).text)
    assert shown
    client.post(TOTP, {"code": make_code(shown[1])})
    return shown[1]


def list_audit_log() -> list[str]:
    return list(AuditLogEntry.objects.order_by("at").values_list("action", flat=True))


class TestSecondFactor:
    def test_is_required_after_the_password(self, owner: Membership) -> None:
        client, _ = log_in()
        turn_on(client)
        other, page = log_in()
        assert page.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
        assert "_auth_user_id" not in other.session

    def test_accepts_only_the_correct_code(self, owner: Membership) -> None:
        client, _ = log_in()
        secret = turn_on(client)
        other, _ = log_in()
        assert "Incorrect code" in other.post("/accounts/2fa/authenticate/", {"code": "000000"}).text
        from django.core.cache import cache

        cache.clear()  # a code is accepted once, and this one was used to set up the app
        page = other.post("/accounts/2fa/authenticate/", {"code": make_code(secret)}, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/"

    def test_accepts_a_recovery_code_once(self, owner: Membership) -> None:
        client, _ = log_in()
        turn_on(client)
        codes = re.findall(
            r"^\s*(?:<pre[^>]*><code>)?(\d{8})", client.get("/accounts/2fa/recovery-codes/").text, re.M
        )
        assert len(codes) == 10
        for expected in ("/dashboard/", None):
            other, _ = log_in()
            page = other.post("/accounts/2fa/authenticate/", {"code": codes[0]}, follow=True)
            assert (page.redirect_chain[-1][0] if page.redirect_chain else None) == expected

    def test_stores_its_secret_encrypted(self, owner: Membership) -> None:
        client, _ = log_in()
        secret = turn_on(client)
        assert secret not in str(Authenticator.objects.get(type="totp").data)

    @pytest.mark.django_db(transaction=True)
    def test_activation_and_deactivation_are_logged_and_mailed(self, owner: Membership) -> None:
        client, _ = log_in()
        turn_on(client)
        client.post("/accounts/2fa/totp/deactivate/")
        assert list_audit_log() == ["two_factor_on", "two_factor_off"]
        deliver_mails()
        assert {"Authenticator App Activated", "Authenticator App Deactivated"} <= {
            m.subject for m in mail.outbox
        }
        html = next(body for body, kind in mail.outbox[-1].alternatives if kind == "text/html")
        assert "If this was you" in html


class TestNewDevice:
    def test_is_reported_only_after_the_first_sign_in(self, owner: Membership) -> None:
        log_in()
        log_in(**{"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/143.1"}, address="192.0.2.99")
        assert list_audit_log() == []
        log_in(address="198.51.100.4")
        assert list_audit_log() == ["sign_in_from_new_device"]
        assert AuditLogEntry.objects.get().address == "198.51.100.4"
        deliver_mails()
        assert mail.outbox[-1].subject == "New sign-in to RSOLV from a new device"
        assert mail.outbox[-1].to == ["alice@acme.test"]

    def test_is_reported_once(self, owner: Membership) -> None:
        for address in ("192.0.2.7", "198.51.100.4", "198.51.100.4"):
            log_in(address=address)
        assert list_audit_log() == ["sign_in_from_new_device"]

    def test_address_comes_from_the_trusted_proxy(self, owner: Membership, settings: Any) -> None:
        settings.TRUSTED_PROXY_COUNT = 1
        for forwarded in ("203.0.113.1", "203.0.113.9, 198.51.100.4"):
            log_in(**{"X-Forwarded-For": forwarded})
        assert AuditLogEntry.objects.get().address == "198.51.100.4"


class TestPassword:
    def test_change_is_logged_and_ends_other_sessions(self, owner: Membership) -> None:
        (client, _), (other, _) = log_in(), log_in()
        new = {"oldpassword": PASSWORD, "password1": "another-horse-2", "password2": "another-horse-2"}
        client.post("/accounts/password/change/", new)
        assert list_audit_log() == ["password_changed", "sessions_ended"]
        assert client.get("/dashboard/team/").status_code == 200
        assert other.get("/dashboard/team/").status_code == 302


class TestEmailAddress:
    def test_can_be_added_confirmed_and_made_primary(self, owner: Membership) -> None:
        client, _ = log_in()
        trust_login(client)
        client.post("/accounts/email/", {"email": "alice@new.test", "action_add": ""})
        deliver_mails()
        code = re.search(r"^([A-Z0-9-]{6,9})$", mail.outbox[-1].body, re.M)
        assert code
        client.post("/accounts/confirm-email/", {"code": code[1]})
        client.post("/accounts/email/", {"email": "alice@new.test", "action_primary": ""})
        owner.user.refresh_from_db()
        assert owner.user.email == "alice@new.test"
        assert AuditLogEntry.objects.get(action="email_changed").subject == "to alice@new.test"


class TestSessions:
    def test_on_other_devices_are_listed_and_ended(self, owner: Membership) -> None:
        (client, _), (other, _) = log_in(), log_in(address="192.0.2.55")
        page = client.get("/accounts/sessions/")
        assert "192.0.2.55" in page.text
        client.post("/accounts/sessions/")
        assert client.get("/dashboard/team/").status_code == 200
        assert other.get("/dashboard/team/").status_code == 302


class TestGuessingLimits:
    """With the production limits; the other tests run without limits."""

    @pytest.fixture(autouse=True)
    def limits(self, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = {}

    def test_block_even_the_correct_password_after_five_failures(self, owner: Membership) -> None:
        for _ in range(5):
            assert "not correct" in log_in(password="wrong")[1].text
        client, page = log_in()
        assert "Too many failed login attempts" in page.text
        assert "_auth_user_id" not in client.session

    def test_block_many_accounts_from_one_address(self, owner: Membership) -> None:
        tried = [try_login(f"p{number}@acme.test") for number in range(11)]
        assert "not correct" in tried[9].text
        assert "Too many failed login attempts" in tried[10].text

    def test_block_guesses_of_the_second_factor(self, owner: Membership) -> None:
        client, _ = log_in()
        turn_on(client)
        other, _ = log_in()
        answers = [other.post("/accounts/2fa/authenticate/", {"code": "000000"}).text for _ in range(6)]
        assert "Incorrect code" in answers[0]
        assert "Too many failed login attempts" in answers[5]

    def test_ignore_a_forged_x_forwarded_for(self, owner: Membership) -> None:
        tried = [
            try_login(f"p{number}@acme.test", **{"X-Forwarded-For": f"203.0.113.{number}"})
            for number in range(11)
        ]
        assert "Too many failed login attempts" in tried[10].text


def try_login(email: str, **headers: str) -> Any:
    return Client().post(LOGIN, {"login": email, "password": "wrong"}, headers=headers)
