"""Changes that make an account safer end its older sessions."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.utils import timezone

from customers.models import AuditLogEntry, Membership
from customers.services.deactivate_person import deactivate_person, reactivate_person
from tests.customers.team import make_person
from tests.customers.test_logins import PASSWORD, log_in, turn_on
from tests.factories import MembershipFactory
from tests.signup import deliver_mails
from tests.tenants import expire_recent_login

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "another-horse-2"


@pytest.fixture
def owner() -> Membership:
    return MembershipFactory(user=make_person("alice@acme.test"))


def is_in(client: Client) -> bool:
    return client.get("/dashboard/team/").status_code == 200


def open_unlisted_session(owner: Membership) -> Client:
    """Open a session that is missing in allauth's list, as the staff admin used to create them."""
    client = Client()
    client.force_login(owner.user)
    assert not UserSession.objects.filter(session_key=client.session.session_key).exists()
    return client


class TestActivatingTheSecondFactor:
    def test_ends_other_sessions_and_rotates_the_current_key(self, owner: Membership) -> None:
        (client, _), (other, _) = log_in(), log_in(address="192.0.2.55")
        unlisted, before = open_unlisted_session(owner), client.session.session_key
        turn_on(client)
        assert is_in(client)
        assert client.session.session_key != before
        assert not is_in(other)
        assert not is_in(unlisted)
        assert AuditLogEntry.objects.get(action="sessions_ended").subject == "1 session"

    def test_invalidates_the_old_session_key(self, owner: Membership) -> None:
        client, _ = log_in()
        stolen = Client()
        stolen.cookies = client.cookies.copy()
        turn_on(client)
        assert is_in(client)
        assert not is_in(stolen)

    def test_keeps_the_current_session_in_the_list(self, owner: Membership) -> None:
        client, _ = log_in()
        turn_on(client)
        assert client.get("/accounts/sessions/").text.count("This browser") <= 1
        assert UserSession.objects.get().session_key == client.session.session_key

    def test_by_a_passkey_ends_other_sessions(self, owner: Membership, rf: Any) -> None:
        """Sends the signal that allauth sends when a passkey is added."""
        from allauth.mfa import signals

        (client, _), (other, _) = log_in(), log_in()
        request = rf.post("/accounts/2fa/webauthn/add/")
        request.user, request.session = owner.user, client.session
        key = Authenticator.objects.create(user=owner.user, type="webauthn", data={})
        signals.authenticator_added.send(Authenticator, request=request, user=owner.user, authenticator=key)
        assert not is_in(other)


class TestDeactivatingTheSecondFactor:
    def test_requires_reauthentication(self, owner: Membership) -> None:
        client, _ = log_in()
        turn_on(client)
        expire_recent_login(client)
        assert client.get("/accounts/2fa/totp/deactivate/").url.startswith("/accounts/reauthenticate/")
        client.post("/accounts/2fa/totp/deactivate/")
        assert Authenticator.objects.filter(type="totp").exists()

    def test_sends_a_mail(self, owner: Membership) -> None:
        client, _ = log_in()
        turn_on(client)
        client.post("/accounts/2fa/totp/deactivate/")
        deliver_mails()
        assert "Deactivated" in mail.outbox[-1].subject
        assert mail.outbox[-1].to == ["alice@acme.test"]


class TestPassword:
    def test_change_ends_other_sessions(self, owner: Membership) -> None:
        (client, _), (other, _) = log_in(), log_in()
        unlisted = open_unlisted_session(owner)
        sent = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        client.post("/accounts/password/change/", sent)
        assert is_in(client)
        assert not is_in(other)
        assert not is_in(unlisted)
        assert AuditLogEntry.objects.get(action="sessions_ended").subject == "1 session"

    def test_reset_ends_all_sessions(self, owner: Membership) -> None:
        other, _ = log_in()
        unlisted = open_unlisted_session(owner)
        Client().post("/accounts/password/reset/", {"email": "alice@acme.test"})
        deliver_mails()
        path = re.search(r"(/accounts/password/reset/key/\S+)", mail.outbox[-1].body)
        assert path
        client = Client()
        page = client.get(path[1], follow=True)
        client.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
        assert log_in(password=NEW)[1].redirect_chain[-1][0] == "/dashboard/"
        assert not is_in(other)
        assert not is_in(unlisted)


class TestSessionList:
    def test_also_ends_unlisted_sessions(self, owner: Membership) -> None:
        (client, _), (other, _) = log_in(), log_in()
        unlisted = open_unlisted_session(owner)
        client.post("/accounts/sessions/")
        assert is_in(client)
        assert not is_in(other)
        assert not is_in(unlisted)
        assert AuditLogEntry.objects.get(action="sessions_ended").subject == "1 session"


class TestDeactivatePerson:
    def test_ends_all_sessions_permanently(self, owner: Membership) -> None:
        client, _ = log_in()
        staff = make_person("staff@rsolv.test")
        deactivate_person(user=owner.user, actor=staff, at=timezone.now())
        assert not is_in(client)
        reactivate_person(user=owner.user, actor=staff, at=timezone.now())
        assert not is_in(client)
