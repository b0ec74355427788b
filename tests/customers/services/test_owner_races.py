"""Owners who leave concurrently. Needs a database with row locks."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from customers.models import Membership
from customers.services.change_role import LastOwner, change_role
from customers.services.remove_member import remove_member
from customers.services.transfer_ownership import transfer_ownership
from tests.customers.team import make_team, origin_of


def race(*calls):
    """Run the calls concurrently; return the exception type of each, or None."""
    start = Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            call()
        except Exception as error:
            return type(error)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(5))
class TestConcurrentOwners:
    def test_one_owner_remains_if_both_leave(self, _):
        _, owners = make_team("owner", "owner")
        raised = race(
            *(
                lambda each=each: remove_member(membership=each, actor=each.user, **origin_of(each))
                for each in owners
            )
        )
        assert sorted(raised, key=str) == sorted([None, LastOwner], key=str)
        assert Membership.objects.filter(role="owner").count() == 1

    def test_one_owner_remains_if_each_demotes_the_other(self, _):
        _, (alice, bob) = make_team("owner", "owner")

        def demote(by, other):
            change_role(membership=other, role="member", actor=by.user, **origin_of(by))

        raised = race(lambda: demote(alice, bob), lambda: demote(bob, alice))
        assert raised.count(None) == 1
        assert Membership.objects.filter(role="owner").count() == 1

    def test_one_owner_remains_after_a_transfer_and_a_removal(self, _):
        _, (owner, member) = make_team("owner", "member")
        race(
            lambda: transfer_ownership(to=member, **origin_of(owner)),
            lambda: remove_member(membership=member, actor=owner.user, **origin_of(owner)),
        )
        assert Membership.objects.filter(role="owner").count() == 1
