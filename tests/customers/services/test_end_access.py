"""Invitations and keys of a member end with their membership or role."""

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


def invite(by, email="again@bob.test", role="admin"):
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


class TestRemoveMember:
    def test_revokes_invitations_that_the_member_sent(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(bob)
        assert remove(bob, alice).invitations == 1
        with pytest.raises(InvitationNotValid):
            sign_up(token)
        assert list_audit_log("invitation_revoked") == [(alice.user.email, "again@bob.test as admin")]

    @pytest.mark.parametrize("address", ["login", "confirmed"])
    def test_revokes_invitations_to_addresses_of_the_member(self, address):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(alice, "second@bob.test")
        if address == "confirmed":
            EmailAddress.objects.create(user=bob.user, email="Second@bob.test", verified=True)
        else:
            bob.user.email = "second@bob.test"
            bob.user.save()
        remove(bob, alice)
        with pytest.raises(InvitationNotValid):
            accept(token, bob.user)

    def test_keeps_invitations_of_others(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(alice, "carol@acme.test")
        remove(bob, alice)
        assert accept(token, make_person("carol@acme.test")).role == "admin"

    def test_keeps_invitations_and_keys_of_another_customer(self):
        _, (alice, bob) = make_team("owner", "admin")
        other = Membership.objects.create(customer=make_team("owner")[0], user=bob.user, role="admin")
        key, token = make_key(other), invite(other)
        remove(bob, alice)
        assert authenticate_api_key(key)
        assert find_invited(Invitation.objects.get(token_hash=hash_token(token))) is None
        assert Invitation.objects.get().revoked_at is None

    def test_revokes_the_keys_of_the_member(self):
        _, (alice, bob) = make_team("owner", "admin")
        theirs, others = make_key(bob), make_key(alice)
        assert remove(bob, alice).keys_revoked == 1
        assert authenticate_api_key(theirs) is None
        assert authenticate_api_key(others)
        assert len(list_audit_log("key_revoked")) == 1

    def test_reassigns_kept_keys_to_the_member_who_removes_the_other(self):
        _, (alice, bob, carol) = make_team("owner", "admin", "admin")
        key = make_key(carol)
        assert remove(carol, bob, keys=KeyChoice.KEEP).keys_reassigned == 1
        assert authenticate_api_key(key)
        assert ApiKey.objects.get().created_by == bob.user
        ((who, subject),) = list_audit_log("key_reassigned")
        assert who == bob.user.email
        assert subject.endswith(f"to {bob.user.email}")

    def test_by_staff_reassigns_kept_keys_to_an_owner(self):
        _, (alice, bob) = make_team("owner", "admin")
        make_key(bob)
        staff = make_person("staff@rsolv.test")
        remove_member(membership=bob, actor=staff, keys=KeyChoice.KEEP, **origin_of(None))
        assert ApiKey.objects.get().created_by == alice.user

    def test_leaving_revokes_keys_or_reassigns_them_to_an_owner(self):
        _, (alice, bob, carol) = make_team("owner", "admin", "admin")
        make_key(bob), make_key(carol)
        assert remove(bob, bob).keys_revoked == 1
        assert remove(carol, carol, keys=KeyChoice.KEEP).keys_reassigned == 1
        assert ApiKey.objects.active().get().created_by == alice.user

    def test_second_removal_raises_not_found(self):
        _, (alice, bob) = make_team("owner", "admin")
        remove(bob, alice)
        with pytest.raises(NotFound):
            remove(bob, alice)

    def test_rejects_a_key_created_with_the_deleted_membership(self):
        """The view loaded the membership before it was deleted."""
        _, (alice, bob) = make_team("owner", "admin")
        remove(bob, alice)
        with pytest.raises(NotPermitted):
            create_api_key(
                customer=alice.customer, name="x", created_by=bob.user, by=Membership(**vars_of(bob))
            )
        assert not ApiKey.objects.exists()

    def test_rejects_a_rotation_with_the_deleted_membership(self):
        _, (alice, bob) = make_team("owner", "admin")
        key = create_api_key(customer=alice.customer, name="CI", created_by=alice.user).api_key
        place = Membership(**vars_of(bob))
        remove(bob, alice)
        with pytest.raises(NotPermitted):
            rotate_api_key(api_key=key, overlap=timedelta(0), by=bob.user, at=timezone.now(), place=place)


def vars_of(membership):
    fields = ("id", "customer_id", "user_id", "role")
    return {name: getattr(membership, name) for name in fields}


class TestAcceptInvitation:
    """An invitation is valid only while its sender may still send it, even if it was left open by mistake."""

    def reopen(self):
        # An UPDATE, because no service reopens an invitation: this is the mistake.
        Invitation.objects.update(revoked_at=None)

    def test_is_rejected_after_the_inviter_was_removed(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(bob)
        remove(bob, alice)
        self.reopen()
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_is_rejected_if_the_inviter_may_no_longer_grant_the_role(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(bob)
        Membership.objects.filter(pk=bob.pk).update(role="member")
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_is_rejected_if_the_inviter_is_deactivated(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(bob)
        bob.user.is_active = False
        bob.user.save()
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_is_rejected_if_the_inviter_is_deleted(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(bob)
        bob.user.delete()
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_works_after_another_member_resends_it(self):
        _, (alice, bob) = make_team("owner", "admin")
        invite(bob, "carol@acme.test")
        Membership.objects.filter(pk=bob.pk).delete()
        forget_mail_limits()
        resend_invitation(invitation=Invitation.objects.get(), **origin_of(alice))
        token = read_invitation().split("/")[2]
        assert accept(token, make_person("carol@acme.test")).role == "admin"
        assert Invitation.objects.get().invited_by == alice.user


class TestChangeRole:
    def change(self, member, role, by, **options):
        return change_role(membership=member, role=role, actor=by.user, **origin_of(by), **options)

    def test_revokes_invitations_that_the_new_role_may_not_send(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(bob)
        assert self.change(bob, "member", alice).invitations == 1
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_keeps_invitations_that_the_new_role_may_send(self):
        _, (alice, bob) = make_team("owner", "owner")
        for email, role in (("a@acme.test", "owner"), ("b@acme.test", "admin"), ("c@acme.test", "member")):
            invite(bob, email, role)
        assert self.change(bob, "admin", alice).invitations == 1
        assert {i.role for i in Invitation.objects.filter(revoked_at=None)} == {"admin", "member"}

    def test_reassigns_keys_if_the_new_role_may_not_create_any(self):
        _, (alice, bob) = make_team("owner", "admin")
        make_key(bob)
        assert self.change(bob, "billing", alice).keys_reassigned == 1
        assert ApiKey.objects.get().created_by == alice.user

    def test_revokes_keys_on_request(self):
        _, (alice, bob) = make_team("owner", "admin")
        key = make_key(bob)
        assert self.change(bob, "member", alice, keys=KeyChoice.REVOKE).keys_revoked == 1
        assert authenticate_api_key(key) is None

    def test_keeps_keys_if_the_new_role_may_create_them(self):
        _, (alice, bob) = make_team("owner", "owner")
        make_key(bob)
        self.change(bob, "admin", alice, keys=KeyChoice.REVOKE)
        assert ApiKey.objects.active().get().created_by == bob.user

    def test_transfer_revokes_invitations_that_only_an_owner_may_send(self):
        _, (alice, bob) = make_team("owner", "admin")
        token = invite(alice, "mallory@evil.test", "owner")
        assert transfer_ownership(to=bob, **origin_of(alice)).invitations == 1
        with pytest.raises(InvitationNotValid):
            sign_up(token)

    def test_rejects_a_transfer_to_a_deactivated_user(self):
        _, (alice, bob) = make_team("owner", "admin")
        bob.user.is_active = False
        bob.user.save()
        with pytest.raises(NotPermitted):
            transfer_ownership(to=bob, **origin_of(alice))


class TestDeactivatePerson:
    def test_revokes_invitations_and_keys(self):
        _, (alice, bob) = make_team("owner", "admin")
        key, token = make_key(bob), invite(bob)
        staff = make_person("staff@rsolv.test")
        for _ in range(2):
            deactivate_person(user=bob.user, actor=staff, at=timezone.now())
        assert authenticate_api_key(key) is None
        with pytest.raises(InvitationNotValid):
            sign_up(token)
        assert len(list_audit_log("staff_acted")) == 1

    def test_keeps_the_keys_of_the_last_owner_on_request(self):
        _, (alice,) = make_team("owner")
        key = make_key(alice)
        staff = make_person("staff@rsolv.test")
        deactivate_person(user=alice.user, actor=staff, at=timezone.now(), keys=KeyChoice.KEEP)
        assert authenticate_api_key(key)

    def test_reactivation_does_not_restore_revoked_keys(self):
        _, (alice, bob) = make_team("owner", "admin")
        key, staff = make_key(bob), make_person("staff@rsolv.test")
        deactivate_person(user=bob.user, actor=staff, at=timezone.now())
        reactivate_person(user=bob.user, actor=staff, at=timezone.now())
        bob.user.refresh_from_db()
        assert bob.user.is_active
        assert authenticate_api_key(key) is None
