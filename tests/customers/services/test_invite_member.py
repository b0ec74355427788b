"""Places offered by mail, taken once."""

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
    def test_mails_a_link_whose_token_is_only_kept_hashed(self):
        _, (owner,) = make_team("owner")
        invitation, token = invite(owner)
        assert invitation.token_hash == hash_token(token)
        assert token not in str(Invitation.objects.values().get())
        assert AuditLogEntry.objects.get().action == "member_invited"

    def test_an_admin_invites_no_owner(self):
        _, (_, admin) = make_team("owner", "admin")
        with pytest.raises(NotPermitted):
            invite(admin, role="owner")

    def test_an_address_is_invited_once(self):
        _, (owner,) = make_team("owner")
        invite(owner)
        with pytest.raises(AlreadyInvited):
            invite(owner, email="NEW@acme.test")

    def test_one_that_is_too_old_makes_room(self):
        _, (owner,) = make_team("owner")
        invite(owner)
        Invitation.objects.update(expires_at=timezone.now() - timedelta(1))
        forget_mail_limits()
        invite(owner)
        assert Invitation.objects.filter(revoked_at=None).count() == 1

    def test_a_member_is_not_invited(self):
        _, (owner, member) = make_team("owner", "member")
        with pytest.raises(AlreadyMember):
            invite(owner, email=member.user.email)

    def test_sending_it_again_ends_the_old_link(self):
        _, (owner,) = make_team("owner")
        invitation, old = invite(owner)
        forget_mail_limits()
        resend_invitation(invitation=invitation, **origin_of(owner))
        new = read_invitation().split("/")[2]
        person = make_person("new@acme.test")
        with pytest.raises(InvitationNotValid):
            accept(old, person)
        assert accept(new, person).role == "member"

    def test_taken_back_it_opens_nothing(self):
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

    def test_is_over_after_seven_days(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        later = timezone.now() + timedelta(days=7, seconds=1)
        with pytest.raises(InvitationNotValid):
            accept_invitation(token=token, user=make_person("new@acme.test"), at=later, address=None)

    def test_is_not_for_another_person(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        with pytest.raises(NotInvited):
            accept(token, make_person("other@acme.test"))

    def test_an_address_that_is_not_confirmed_proves_nothing(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        person = make_person("new@acme.test")
        person.emailaddress_set.update(verified=False)
        with pytest.raises(NotInvited):
            accept(token, person)

    def test_finds_a_login_whose_domain_was_written_in_its_own_letters(self):
        _, (owner,) = make_team("owner")
        ann = make_person("ann@xn--bcher-kva.example")
        _, token = invite(owner, "Ann@bücher.example")
        assert accept(token, ann).user == ann

    def test_somebody_of_another_customer_leaves_it_first(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        person = make_person("new@acme.test")
        MembershipFactory(user=person)
        with pytest.raises(AlreadyInAnotherAccount):
            accept(token, person)


class TestSignUpInvited:
    def test_makes_a_person_in_the_customer_and_no_other_customer(self):
        customer, (owner,) = make_team("owner")
        _, token = invite(owner)
        sign_up(token)
        user = User.objects.get(email="new@acme.test")
        assert user.check_password("correct-horse-battery")
        assert Membership.objects.get(user=user).customer == customer
        assert Customer.objects.count() == 1

    def test_is_not_a_way_into_a_login_that_exists(self):
        _, (owner,) = make_team("owner")
        _, token = invite(owner)
        make_person("new@acme.test")
        with pytest.raises(NotInvited):
            sign_up(token)


def sign_up(token):
    return sign_up_invited(
        token=token, name="Nia", password="correct-horse-battery", at=timezone.now(), address=None
    )
