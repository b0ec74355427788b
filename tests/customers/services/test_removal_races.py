"""A member is removed while they accept, invite or create a key: the outcome is the same in any order."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from core.errors import DomainError
from customers.models import ApiKey, Invitation, Membership
from customers.services.accept_invitation import sign_up_invited
from customers.services.invite_member import invite_member
from customers.services.manage_keys import create_api_key
from customers.services.remove_member import remove_member
from tests.customers.team import make_team, origin_of, read_invitation

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
ROUNDS = 8


def race(*calls: Callable[[], Any]) -> None:
    """Run all calls concurrently, each in a thread with its own connection; domain errors are expected."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            call()
        except DomainError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def remove(member, by):
    return remove_member(membership=member, actor=by.user, **origin_of(by))


def test_invitation_is_either_accepted_or_revoked():
    for number in range(ROUNDS):
        customer, (alice, bob) = make_team("owner", "admin")
        email = f"again{number}@bob.test"
        invite_member(customer=customer, email=email, role="member", **origin_of(bob))
        token = read_invitation().split("/")[2]
        race(
            lambda bob=bob, alice=alice: remove(bob, alice),
            lambda token=token: sign_up_invited(
                token=token, name="M", password="correct-horse-battery", at=timezone.now()
            ),
        )
        invitation = Invitation.objects.get(customer=customer)
        is_in = Membership.objects.filter(customer=customer, user__email=email).exists()
        assert (invitation.accepted_at is not None) == is_in
        assert (invitation.revoked_at is not None) != is_in
        assert not Membership.objects.filter(pk=bob.pk).exists()


def test_removed_member_has_no_active_key():
    for _ in range(ROUNDS):
        customer, (alice, bob) = make_team("owner", "admin")
        race(
            lambda bob=bob, alice=alice: remove(bob, alice),
            lambda bob=bob, customer=customer: create_api_key(
                customer=customer, name="x", created_by=bob.user, by=bob
            ),
        )
        assert not ApiKey.objects.active().filter(customer=customer, created_by=bob.user).exists()


def test_removed_member_has_no_open_invitation():
    for number in range(ROUNDS):
        customer, (alice, bob) = make_team("owner", "admin")
        race(
            lambda bob=bob, alice=alice: remove(bob, alice),
            lambda bob=bob, customer=customer, number=number: invite_member(
                customer=customer, email=f"n{number}@bob.test", role="member", **origin_of(bob)
            ),
        )
        assert not Invitation.objects.filter(customer=customer, revoked_at=None).exists()


def test_concurrent_removals_remove_once():
    for _ in range(ROUNDS):
        customer, (alice, bob) = make_team("owner", "admin")
        race(*[lambda bob=bob, alice=alice: remove(bob, alice)] * 2)
        assert customer.audit_log_entries.filter(action="member_removed").count() == 1
