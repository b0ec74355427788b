"""Limits that keep attackers from flooding an address with our mails."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from customers.mail_limits import TooManyMails
from customers.models import Invitation
from customers.services.invite_member import invite_member, resend_invitation, revoke_invitation
from provisioning.models import OutgoingMail
from tests.customers.team import forget_mail_limits, make_person, make_team, origin_of
from tests.signup import deliver_mails
from tests.tenants import Browser

pytestmark = pytest.mark.django_db
VICTIM = "victim@example.net"


def invite(owner, email=VICTIM):
    return invite_member(customer=owner.customer, email=email, role="member", **origin_of(owner))


def count_mails(to: str = VICTIM) -> int:
    return OutgoingMail.objects.filter(to=to).count()


class TestInvitations:
    def test_repeated_resending_sends_one_mail(self, alice: Browser) -> None:
        """A penetration test sent 60 in 2.4 seconds. Fewer here: a slow machine would need a minute."""
        alice.post("/dashboard/team/invite/", {"email": VICTIM, "role": "member"})
        path = f"/dashboard/team/invitations/{Invitation.objects.get().pk}/resend/"
        pages = [alice.post(path, follow=True).text for _ in range(6)]
        assert count_mails() == 1
        assert "Try again in" in pages[-1]

    def test_repeated_inviting_and_revoking_sends_one_mail(self, alice: Browser) -> None:
        for _ in range(4):
            alice.post("/dashboard/team/invite/", {"email": VICTIM, "role": "member"})
            for invitation in Invitation.objects.filter(revoked_at=None):
                alice.post(f"/dashboard/team/invitations/{invitation.pk}/revoke/")
        assert count_mails() == 1

    def test_from_many_customers_to_one_mailbox_are_counted_together(self) -> None:
        sent = 0
        for number in range(8):
            _, (owner,) = make_team("owner")
            try:
                invite(owner, f"victim+{number}@example.net")
                sent += 1
            except TooManyMails:
                pass
        assert sent == 1

    def test_of_one_person_are_limited_to_twenty_an_hour(self) -> None:
        _, (owner,) = make_team("owner")
        for number in range(20):
            invite(owner, f"p{number}@example.net")
        with pytest.raises(TooManyMails):
            invite(owner, "p20@example.net")

    def test_of_one_customer_are_limited_to_fifty_a_day(self) -> None:
        customer, members = make_team("owner", "admin", "admin", "admin")
        sent = 0
        for member in members:
            for number in range(20):
                try:
                    invitation = invite(member, f"p{sent}-{number}@example.net")
                    revoke_invitation(invitation=invitation, **origin_of(member))
                    sent += 1
                except TooManyMails:
                    pass
        assert sent == 50

    def test_rejected_resending_changes_nothing(self) -> None:
        _, (owner,) = make_team("owner")
        invitation = invite(owner)
        before = Invitation.objects.values().get()
        with pytest.raises(TooManyMails):
            resend_invitation(invitation=invitation, **origin_of(owner))
        assert Invitation.objects.values().get() == before

    def test_are_sent_again_later(self) -> None:
        _, (owner,) = make_team("owner")
        invitation = invite(owner)
        forget_mail_limits()
        resend_invitation(invitation=invitation, **origin_of(owner))
        assert count_mails() == 2


class TestOtherMails:
    """With the production limits; most tests run without those of allauth."""

    @pytest.fixture(autouse=True)
    def limits(self, settings: Any) -> None:
        from rsolv.settings import people

        settings.ACCOUNT_RATE_LIMITS = people.ACCOUNT_RATE_LIMITS

    def test_added_addresses_are_limited(self, alice: Browser) -> None:
        for number in range(8):
            alice.post("/accounts/email/", {"email": f"v{number}@example.net", "action_add": ""})
        deliver_mails()
        assert len(mail.outbox) == 5

    def test_password_resets_are_limited_per_mailbox(self) -> None:
        make_person(VICTIM)
        for number in range(6):
            Client().post("/accounts/password/reset/", {"email": VICTIM}, REMOTE_ADDR=f"192.0.2.{number}")
        assert count_mails() == 3

    def test_limited_reset_has_the_same_response_as_an_unknown_address(self) -> None:
        make_person(VICTIM)
        for email in (VICTIM, "nobody@example.net"):
            answers = [Client().post("/accounts/password/reset/", {"email": email}) for _ in range(3)]
            assert {(each.status_code, each.url) for each in answers} == {
                (302, "/accounts/password/reset/done/")
            }

    def test_tagged_addresses_count_as_one_mailbox(self) -> None:
        for number in range(40):
            email = f"victim+{number}@example.net"
            Client().post("/accounts/password/reset/", {"email": email}, REMOTE_ADDR=f"192.0.2.{number}")
        assert OutgoingMail.objects.count() == 10

    def test_flood_of_tagged_addresses_does_not_block_a_real_reset(self) -> None:
        make_person(VICTIM)
        local, _, domain = VICTIM.partition("@")
        for number in range(40):
            sent = {"email": f"{local}+{number}@{domain}"}
            Client().post("/accounts/password/reset/", sent, REMOTE_ADDR=f"192.0.2.{number}")
        Client().post("/accounts/password/reset/", {"email": VICTIM}, REMOTE_ADDR="198.51.100.1")
        assert OutgoingMail.objects.filter(to=VICTIM).count() == 1

    def test_security_notifications_are_always_sent(self, alice: Browser) -> None:
        """A flood of resets must not suppress the mail about a changed password."""
        user = make_person(VICTIM)
        for number in range(6):
            Client().post("/accounts/password/reset/", {"email": VICTIM}, REMOTE_ADDR=f"192.0.2.{number}")
        client = Client()
        client.force_login(user)
        new = "another-horse-2"
        sent = {"oldpassword": "correct-horse-battery", "password1": new, "password2": new}
        client.post("/accounts/password/change/", sent)
        assert OutgoingMail.objects.filter(to=VICTIM, subject__icontains="password").count() == 4
