"""Which actions the audit log records, and the address and device of each."""

import json
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone
from time_machine import TimeMachineFixture

from customers.models import AuditLogEntry, Customer, Invitation, Membership, User
from customers.services.accept_invitation import accept_invitation
from customers.services.invite_member import invite_member, revoke_invitation
from customers.services.manage_keys import create_api_key
from customers.tasks import expire_invitations
from tests.customers.team import make_person, make_team, origin_of, read_invitation
from tests.signup import deliver_mails
from tests.tenants import Browser, set_role

pytestmark = pytest.mark.django_db
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/142.0"}


@pytest.fixture
def browser(alice: Browser) -> Browser:
    alice.defaults["HTTP_USER_AGENT"] = FIREFOX["User-Agent"]
    return alice


def find(action: str) -> AuditLogEntry:
    entry = AuditLogEntry.objects.get(action=action)
    assert (entry.address, entry.device) == ("127.0.0.1", "Firefox on Linux")
    return entry


class TestEntry:
    @pytest.mark.parametrize(
        ("action", "path", "sent"),
        [
            ("key_made", "keys/", {"name": "CI", "expires_in": ""}),
            ("member_invited", "team/invite/", {"email": "new@acme.test", "role": "member"}),
            ("customer_renamed", "settings/company/", {"company": "Acme Two"}),
            ("person_renamed", "settings/profile/", {"name": "Alice", "time_zone": ""}),
            ("mail_chosen", "settings/mail/", {"wants_guidance": "on"}),
            ("data_exported", "settings/export/", {}),
            ("cap_changed", "billing/cap/", {"dollars": "50"}),
        ],
    )
    def test_records_action_actor_address_and_device(
        self, browser: Browser, action: str, path: str, sent: dict[str, str]
    ) -> None:
        browser.post(f"/dashboard/{path}", sent)
        assert find(action).actor == User.objects.get()

    @pytest.mark.parametrize(("action", "path"), [("role", {"role": "billing"}), ("remove", {})])
    def test_records_address_and_device_of_changes_to_a_member(
        self, browser: Browser, bob: Browser, action: str, path: dict[str, str]
    ) -> None:
        set_role(bob, "admin")
        create_api_key(customer=browser.customer, name="CI", created_by=bob.membership.user)
        AuditLogEntry.objects.all().delete()
        browser.post(f"/dashboard/team/{bob.membership.pk}/{action}/", path)
        assert {(e.address, e.device) for e in AuditLogEntry.objects.all()} == {
            ("127.0.0.1", "Firefox on Linux")
        }
        assert AuditLogEntry.objects.count() == 2

    @pytest.mark.parametrize(
        ("path", "what"), [("audit-log/export/", "audit log"), ("usage/rsolv-usage.csv", "usage, 30d")]
    )
    def test_records_an_export_by_link(self, browser: Browser, path: str, what: str) -> None:
        browser.get(f"/dashboard/{path}")
        assert find("data_exported").subject == what

    def test_device_is_shown_and_exported(self, browser: Browser) -> None:
        browser.post("/dashboard/settings/company/", {"company": "Acme Two"})
        assert "Firefox on Linux" in browser.get("/dashboard/audit-log/").text
        lines = b"".join(browser.get("/dashboard/audit-log/export/")).decode()
        assert "Firefox on Linux" in lines
        whole = json.loads(b"".join(browser.post("/dashboard/settings/export/")))
        assert whole["audit_log"][-1]["device"] == "Firefox on Linux"

    def test_truncates_a_long_user_agent(self, alice: Browser) -> None:
        alice.post("/dashboard/settings/company/", {"company": "B"}, headers={"User-Agent": "x" * 500})
        assert AuditLogEntry.objects.get().device == "x" * 60

    def test_is_not_written_without_a_change(self, browser: Browser) -> None:
        browser.post("/dashboard/settings/company/", {"company": browser.customer.name})
        browser.post("/dashboard/settings/profile/", {"name": "", "time_zone": "Europe/Berlin"})
        browser.post("/dashboard/settings/mail/", {"wants_alerts": "on", "wants_guidance": "on"})
        assert not AuditLogEntry.objects.exists()

    def test_contains_both_names_of_a_renaming_even_if_long(self, browser: Browser) -> None:
        Customer.objects.update(name="a" * 200)
        browser.post("/dashboard/settings/company/", {"company": "b" * 200})
        subject = find("customer_renamed").subject
        assert "aaa" in subject
        assert "bbb" in subject


class TestAddresses:
    def test_are_recorded_when_added_made_primary_and_removed(self, browser: Browser) -> None:
        user = User.objects.get()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        browser.post("/accounts/email/", {"email": "alice@new.test", "action_add": ""})
        assert not AuditLogEntry.objects.exists()
        deliver_mails()
        code = re.search(r"^([A-Z0-9-]{6,9})$", mail.outbox[-1].body, re.M)
        assert code
        browser.post("/accounts/confirm-email/", {"code": code[1]})
        assert find("email_added").subject == "alice@new.test"
        browser.post("/accounts/email/", {"email": "alice@new.test", "action_primary": ""})
        assert find("email_changed").subject == "to alice@new.test"
        browser.post("/accounts/email/", {"email": user.email, "action_remove": ""})
        assert find("email_removed").subject == user.email


class TestInvitation:
    @pytest.fixture
    def owner(self) -> Membership:
        _, (owner,) = make_team("owner")
        return owner

    @pytest.fixture
    def invitation(self, owner: Membership) -> Invitation:
        return invite_member(
            customer=owner.customer, email="new@acme.test", role="member", **origin_of(owner)
        )

    def accept(self) -> None:
        token = read_invitation().split("/")[2]
        accept_invitation(token=token, user=make_person("new@acme.test"), at=timezone.now())

    def test_accepted_entry_names_the_inviter(self, owner: Membership, invitation: Invitation) -> None:
        self.accept()
        entry = AuditLogEntry.objects.get(action="member_added")
        assert entry.subject == f"as member, invited by {owner.user.email}"

    def test_expired_has_one_entry_with_its_expiry_time(
        self, invitation: Invitation, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.move_to(invitation.expires_at + timedelta(hours=2))
        for _ in range(2):
            expire_invitations()
        entry = AuditLogEntry.objects.get(action="invitation_expired")
        assert (entry.customer, entry.at) == (invitation.customer, invitation.expires_at)
        assert (entry.actor_name, entry.subject) == ("RSOLV", "new@acme.test as member")

    def test_accepted_does_not_expire(self, invitation: Invitation, time_machine: TimeMachineFixture) -> None:
        self.accept()
        time_machine.move_to(invitation.expires_at + timedelta(hours=2))
        expire_invitations()
        assert not AuditLogEntry.objects.filter(action="invitation_expired").exists()

    def test_revoked_does_not_expire(
        self, owner: Membership, invitation: Invitation, time_machine: TimeMachineFixture
    ) -> None:
        revoke_invitation(invitation=invitation, **origin_of(owner))
        time_machine.move_to(invitation.expires_at + timedelta(hours=2))
        expire_invitations()
        assert not AuditLogEntry.objects.filter(action="invitation_expired").exists()
