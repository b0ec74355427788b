"""What somebody could do through invitations and keys ends with their place or role."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from core.errors import NotFound
from customers.models import ApiKey, AuditLogEntry, Invitation, Membership
from customers.services.accept_invitation import (
    InvitationNotValid,
    accept_invitation,
    find_invited,
    sign_up_invited,
)
from customers.services.authenticate_key import authenticate_api_key
from customers.services.change_role import NotPermitted, change_role
from customers.services.deactivate_person import deactivate_person, reactivate_person
from customers.services.end_access import KeyChoice
from customers.services.invite_member import hash_token, invite_member, resend_invitation
from customers.services.manage_keys import create_api_key, rotate_api_key
from customers.services.remove_member import remove_member
from customers.services.transfer_ownership import transfer_ownership
from tests.customers.team import forget_mail_limits, make_person, make_team, origin_of, read_invitation

pytestmark = pytest.mark.django_db


def invite(by, email="again@mallory.test", role="admin"):
    invite_member(customer=by.customer, email=email, role=role, **origin_of(by))
    return read_invitation().split("/")[2]


def accept(token, user):
    return accept_invitation(token=token, user=user, at=timezone.now())


def sign_up(token):
    return sign_up_invited(token=token, name="M", password="correct-horse-battery", at=timezone.now())


def make_key(of, name="CI"):
    return create_api_key(customer=of.customer, name=name, created_by=of.user).raw


def remove(member, by, **options):
    return remove_member(membership=member, actor=by.user, **origin_of(by), **options)


def list_audit_log(action):
    return list(AuditLogEntry.objects.filter(action=action).values_list("actor_name", "subject"))


class TestRemoving:
    def test_a_removed_admin_does_not_come_back_by_their_own_invitation(self):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(mallory)
        assert remove(mallory, alice).invitations == 1
        with pytest.raises(InvitationNotValid):
            sign_up(token)
        assert list_audit_log("invitation_revoked") == [(alice.user.email, "again@mallory.test as admin")]

    @pytest.mark.parametrize("address", ["login", "confirmed"])
    def test_nor_by_one_that_somebody_else_sent_to_an_address_of_theirs(self, address):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(alice, "second@mallory.test")
        if address == "confirmed":
            EmailAddress.objects.create(user=mallory.user, email="Second@mallory.test", verified=True)
        else:
            mallory.user.email = "second@mallory.test"
            mallory.user.save()
        remove(mallory, alice)
        with pytest.raises(InvitationNotValid):
            accept(token, mallory.user)

    def test_leaves_the_invitations_of_others_alone(self):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(alice, "bob@acme.test")
        remove(mallory, alice)
        assert accept(token, make_person("bob@acme.test")).role == "admin"

    def test_leaves_another_customers_invitations_and_keys_alone(self):
        _, (alice, bob) = make_team("owner", "admin")
        other = Membership.objects.create(customer=make_team("owner")[0], user=bob.user, role="admin")
        key, token = make_key(other), invite(other)
        remove(bob, alice)
        assert authenticate_api_key(key)
        assert find_invited(Invitation.objects.get(token_hash=hash_token(token))) is None
        assert Invitation.objects.get().revoked_at is None

    def test_revokes_their_keys(self):
        _, (alice, mallory) = make_team("owner", "admin")
        theirs, others = make_key(mallory), make_key(alice)
        assert remove(mallory, alice).keys_revoked == 1
        assert authenticate_api_key(theirs) is None
        assert authenticate_api_key(others)
        assert len(list_audit_log("key_revoked")) == 1

    def test_or_reassigns_them_to_whoever_removes(self):
        _, (alice, bob, mallory) = make_team("owner", "admin", "admin")
        key = make_key(mallory)
        assert remove(mallory, bob, keys=KeyChoice.KEEP).keys_reassigned == 1
        assert authenticate_api_key(key)
        assert ApiKey.objects.get().created_by == bob.user
        ((who, subject),) = list_audit_log("key_reassigned")
        assert who == bob.user.email
        assert subject.endswith(f"to {bob.user.email}")

    def test_by_staff_reassigns_them_to_an_owner(self):
        _, (alice, mallory) = make_team("owner", "admin")
        make_key(mallory)
        staff = make_person("staff@rsolv.test")
        remove_member(membership=mallory, actor=staff, keys=KeyChoice.KEEP, **origin_of(None))
        assert ApiKey.objects.get().created_by == alice.user

    def test_leaving_revokes_them_or_reassigns_them_to_an_owner(self):
        _, (alice, bob, cleo) = make_team("owner", "admin", "admin")
        make_key(bob), make_key(cleo)
        assert remove(bob, bob).keys_revoked == 1
        assert remove(cleo, cleo, keys=KeyChoice.KEEP).keys_reassigned == 1
        assert ApiKey.objects.active().get().created_by == alice.user

    def test_twice_says_that_they_are_gone(self):
        _, (alice, mallory) = make_team("owner", "admin")
        remove(mallory, alice)
        with pytest.raises(NotFound):
            remove(mallory, alice)

    def test_stops_a_key_that_is_made_at_the_same_moment(self):
        """The page had looked up the membership before it was gone."""
        _, (alice, mallory) = make_team("owner", "admin")
        remove(mallory, alice)
        with pytest.raises(NotPermitted):
            create_api_key(
                customer=alice.customer, name="x", created_by=mallory.user, by=Membership(**vars_of(mallory))
            )
        assert not ApiKey.objects.exists()

    def test_stops_a_rotation_that_is_asked_for_at_the_same_moment(self):
        _, (alice, mallory) = make_team("owner", "admin")
        key = create_api_key(customer=alice.customer, name="CI", created_by=alice.user).api_key
        place = Membership(**vars_of(mallory))
        remove(mallory, alice)
        with pytest.raises(NotPermitted):
            rotate_api_key(api_key=key, overlap=timedelta(0), by=mallory.user, at=timezone.now(), place=place)


def vars_of(membership):
    fields = ("id", "customer_id", "user_id", "role")
    return {name: getattr(membership, name) for name in fields}


class TestAccepting:
    """Whatever path left an invitation open, whoever sent it must still be able to send it."""

    def reopen(self):
        Invitation.objects.update(revoked_at=None)

    def test_is_refused_where_the_inviter_was_removed(self):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(mallory)
        remove(mallory, alice)
        self.reopen()
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_is_refused_where_the_inviter_may_give_the_role_no_more(self):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(mallory)
        Membership.objects.filter(pk=mallory.pk).update(role="member")
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_is_refused_where_the_inviter_may_log_in_no_more(self):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(mallory)
        mallory.user.is_active = False
        mallory.user.save()
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_is_refused_where_the_inviter_is_deleted(self):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(mallory)
        mallory.user.delete()
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_works_once_somebody_who_may_sends_it_again(self):
        _, (alice, mallory) = make_team("owner", "admin")
        invite(mallory, "bob@acme.test")
        Membership.objects.filter(pk=mallory.pk).delete()
        forget_mail_limits()
        resend_invitation(invitation=Invitation.objects.get(), **origin_of(alice))
        token = read_invitation().split("/")[2]
        assert accept(token, make_person("bob@acme.test")).role == "admin"
        assert Invitation.objects.get().invited_by == alice.user


class TestChangingARole:
    def change(self, member, role, by, **options):
        return change_role(membership=member, role=role, actor=by.user, **origin_of(by), **options)

    def test_revokes_the_invitations_that_could_not_be_sent_any_more(self):
        _, (alice, mallory) = make_team("owner", "admin")
        token = invite(mallory)
        assert self.change(mallory, "member", alice).invitations == 1
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_keeps_those_that_the_new_role_may_send(self):
        _, (alice, bob) = make_team("owner", "owner")
        for email, role in (("a@acme.test", "owner"), ("b@acme.test", "admin"), ("c@acme.test", "member")):
            invite(bob, email, role)
        assert self.change(bob, "admin", alice).invitations == 1
        assert {i.role for i in Invitation.objects.filter(revoked_at=None)} == {"admin", "member"}

    def test_reassigns_keys_where_the_new_role_makes_none(self):
        _, (alice, mallory) = make_team("owner", "admin")
        make_key(mallory)
        assert self.change(mallory, "billing", alice).keys_reassigned == 1
        assert ApiKey.objects.get().created_by == alice.user

    def test_or_revokes_them(self):
        _, (alice, mallory) = make_team("owner", "admin")
        key = make_key(mallory)
        assert self.change(mallory, "member", alice, keys=KeyChoice.REVOKE).keys_revoked == 1
        assert authenticate_api_key(key) is None

    def test_leaves_keys_alone_where_the_new_role_makes_them_too(self):
        _, (alice, bob) = make_team("owner", "owner")
        make_key(bob)
        self.change(bob, "admin", alice, keys=KeyChoice.REVOKE)
        assert ApiKey.objects.active().get().created_by == bob.user

    def test_transferring_revokes_what_only_an_owner_may_send(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(alice, "mallory@evil.test", "owner")
        assert transfer_ownership(to=bob, **origin_of(alice)).invitations == 1
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_nobody_who_cannot_log_in_becomes_the_owner(self):
        _, (alice, bob) = make_team("owner", "admin")
        bob.user.is_active = False
        bob.user.save()
        with pytest.raises(NotPermitted):
            transfer_ownership(to=bob, **origin_of(alice))


class TestDeactivating:
    def test_ends_invitations_and_keys(self):
        _, (alice, mallory) = make_team("owner", "admin")
        key, token = make_key(mallory), invite(mallory)
        staff = make_person("staff@rsolv.test")
        for _ in range(2):
            deactivate_person(user=mallory.user, actor=staff, at=timezone.now())
        assert authenticate_api_key(key) is None
        with pytest.raises(InvitationNotValid):
            sign_up(token)
        assert len(list_audit_log("staff_acted")) == 1

    def test_keeps_the_keys_of_a_last_owner_where_that_is_chosen(self):
        _, (alice,) = make_team("owner")
        key = make_key(alice)
        staff = make_person("staff@rsolv.test")
        deactivate_person(user=alice.user, actor=staff, at=timezone.now(), keys=KeyChoice.KEEP)
        assert authenticate_api_key(key)

    def test_is_undone_without_giving_back_what_ended(self):
        _, (alice, bob) = make_team("owner", "admin")
        key, staff = make_key(bob), make_person("staff@rsolv.test")
        deactivate_person(user=bob.user, actor=staff, at=timezone.now())
        reactivate_person(user=bob.user, actor=staff, at=timezone.now())
        bob.user.refresh_from_db()
        assert bob.user.is_active
        assert authenticate_api_key(key) is None
