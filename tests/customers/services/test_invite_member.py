"""Invitations by mail, which are accepted once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import AuditLogEntry, Customer, Invitation, Membership, User
from customers.services.accept_invitation import (
    AlreadyInAnotherAccount,
    InvitationNotValid,
    NotInvited,
    accept_invitation,
    sign_up_invited,
)
from customers.services.change_role import NotPermitted
from customers.services.invite_member import (
    AlreadyInvited,
    AlreadyMember,
    hash_token,
    invite_member,
    resend_invitation,
    revoke_invitation,
)
from tests.customers.team import forget_mail_limits, make_person, make_team, origin_of, read_invitation
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


def invite(owner, email="new@acme.test", role="member"):
    invitation = invite_member(customer=owner.customer, email=email, role=role, **origin_of(owner))
    return invitation, read_invitation().split("/")[2]


def accept(token, user):
    return accept_invitation(token=token, user=user, at=timezone.now(), address=None)


class TestInviteMember:
    def test_mails_a_link_and_stores_only_the_token_hash(self):
        _, (owner,) = make_team("owner")
        invitation, token = invite(owner)
        assert invitation.token_hash == hash_token(token)
        assert token not in str(Invitation.objects.values().get())
        assert AuditLogEntry.objects.get().action == "member_invited"

    def test_admin_cannot_invite_an_owner(self):
        _, (_, admin) = make_team("owner", "admin")
        with pytest.raises(NotPermitted):
            invite(admin, role="owner")

    def test_rejects_an_address_that_is_already_invited(self):
        _, (owner,) = make_team("owner")
        invite(owner)
        with pytest.raises(AlreadyInvited):
            invite(owner, email="NEW@acme.test")

    def test_replaces_an_expired_invitation(self, time_machine):
        _, (owner,) = make_team("owner")
        invite(owner)
        time_machine.move_to(timezone.now() + timedelta(days=7))
        forget_mail_limits()
        invite(owner)
        assert Invitation.objects.filter(revoked_at=None).count() == 1

    def test_rejects_a_member(self):
        _, (owner, member) = make_team("owner", "member")
        with pytest.raises(AlreadyMember):
            invite(owner, email=member.user.email)

    def test_resending_invalidates_the_old_link(self):
        _, (owner,) = make_team("owner")
        invitation, old = invite(owner)
        forget_mail_limits()
        resend_invitation(invitation=invitation, **origin_of(owner))
        new = read_invitation().split("/")[2]
        person = make_person("new@acme.test")
        with pytest.raises(InvitationNotValid):
            accept(old, person)
        assert accept(new, person).role == "member"

    def test_revoking_invalidates_the_link(self):
        _, (owner,) = make_team("owner")
        invitation, token = invite(owner)
        revoke_invitation(invitation=invitation, **origin_of(owner))
        with pytest.raises(InvitationNotValid):
            accept(token, make_person("new@acme.test"))


class TestAcceptInvitation:
    def test_works_once(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner, role="billing")
        person = make_person("new@acme.test")
        assert accept(token, person).role == "billing"
        with pytest.raises(InvitationNotValid):
            accept(token, person)
        assert AuditLogEntry.objects.filter(action="member_added", actor=person).count() == 1

    def test_expires_after_seven_days(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        later = timezone.now() + timedelta(days=7, seconds=1)
        with pytest.raises(InvitationNotValid):
            accept_invitation(token=token, user=make_person("new@acme.test"), at=later, address=None)

    def test_rejects_another_person(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        with pytest.raises(NotInvited):
            accept(token, make_person("other@acme.test"))

    def test_rejects_an_unconfirmed_address(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        person = make_person("new@acme.test")
        person.emailaddress_set.update(verified=False)
        with pytest.raises(NotInvited):
            accept(token, person)

    def test_matches_an_internationalized_domain(self):
        _, (owner,) = make_team("owner")
        alice = make_person("alice@xn--bcher-kva.example")
        _, token = invite(owner, "Alice@bücher.example")
        assert accept(token, alice).user == alice

    def test_rejects_a_member_of_another_customer(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        person = make_person("new@acme.test")
        MembershipFactory(user=person)
        with pytest.raises(AlreadyInAnotherAccount):
            accept(token, person)


class TestSignUpInvited:
    def test_creates_a_user_in_the_customer_and_no_new_customer(self):
        customer, (owner,) = make_team("owner")
        _, token = invite(owner)
        sign_up(token)
        user = User.objects.get(email="new@acme.test")
        assert user.check_password("correct-horse-battery")
        assert Membership.objects.get(user=user).customer == customer
        assert Customer.objects.count() == 1

    def test_rejects_an_address_with_a_login(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        make_person("new@acme.test")
        with pytest.raises(NotInvited):
            sign_up(token)


def sign_up(token):
    return sign_up_invited(
        token=token, name="Nia", password="correct-horse-battery", at=timezone.now(), address=None
    )
