"""What each role may do to members of each role."""

import pytest

from customers.models import Membership
from customers.roles import ROLES, list_assignable, may_change, may_invite, may_remove, may_transfer

# What each actor may do to somebody of each role: remove them, or invite one.
REACH = {
    "owner": {"owner", "admin", "member", "billing"},
    "admin": {"admin", "member", "billing"},
    "member": set(),
    "billing": set(),
}
PAIRS = [(actor, other) for actor in ROLES for other in ROLES]


def test_roles_equal_those_of_membership():
    assert set(ROLES) == set(Membership.Role.values)


@pytest.mark.parametrize(("actor", "other"), PAIRS)
class TestPairOfRoles:
    def test_may_invite_lower_or_equal_roles(self, actor, other):
        assert may_invite(actor, other) == (other in REACH[actor])
        assert (other in list_assignable(actor)) == (other in REACH[actor])

    def test_may_remove_lower_or_equal_roles(self, actor, other):
        assert may_remove(actor, other) == (other in REACH[actor])

    def test_may_change_roles_only_among_lower_or_equal_ones(self, actor, other):
        for to in ROLES:
            assert may_change(actor, now=other, to=to) == (other in REACH[actor] and to in REACH[actor])


@pytest.mark.parametrize("actor", ROLES)
def test_only_an_owner_may_transfer(actor):
    assert may_transfer(actor) == (actor == "owner")
