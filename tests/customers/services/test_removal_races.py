"""Somebody is removed while they accept, invite or make a key: the end is the same in whatever order."""

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
    """Run all at once, each in a thread with its own connection; domain errors are answers."""
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


def test_an_invitation_is_accepted_or_revoked_and_nothing_between():
    for number in range(ROUNDS):
        customer, (alice, mallory) = make_team("owner", "admin")
        email = f"again{number}@mallory.test"
        invite_member(customer=customer, email=email, role="member", **origin_of(mallory))
        token = read_invitation().split("/")[2]
        race(
            lambda mallory=mallory, alice=alice: remove(mallory, alice),
            lambda token=token: sign_up_invited(
                token=token, name="M", password="correct-horse-battery", at=timezone.now()
            ),
        )
        invitation = Invitation.objects.get(customer=customer)
        is_in = Membership.objects.filter(customer=customer, user__email=email).exists()
        assert (invitation.accepted_at is not None) == is_in
        assert (invitation.revoked_at is not None) != is_in
        assert not Membership.objects.filter(pk=mallory.pk).exists()


def test_no_key_of_somebody_removed_works():
    for _ in range(ROUNDS):
        customer, (alice, mallory) = make_team("owner", "admin")
        race(
            lambda mallory=mallory, alice=alice: remove(mallory, alice),
            lambda mallory=mallory, customer=customer: create_api_key(
                customer=customer, name="x", created_by=mallory.user, by=mallory
            ),
        )
        assert not ApiKey.objects.active().filter(customer=customer, created_by=mallory.user).exists()


def test_no_invitation_of_somebody_removed_is_open():
    for number in range(ROUNDS):
        customer, (alice, mallory) = make_team("owner", "admin")
        race(
            lambda mallory=mallory, alice=alice: remove(mallory, alice),
            lambda mallory=mallory, customer=customer, number=number: invite_member(
                customer=customer, email=f"n{number}@mallory.test", role="member", **origin_of(mallory)
            ),
        )
        assert not Invitation.objects.filter(customer=customer, revoked_at=None).exists()


def test_removing_twice_at_once_does_it_once():
    for _ in range(ROUNDS):
        customer, (alice, mallory) = make_team("owner", "admin")
        race(*[lambda mallory=mallory, alice=alice: remove(mallory, alice)] * 2)
        assert customer.audit_log_entries.filter(action="member_removed").count() == 1
