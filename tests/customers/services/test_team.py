"""Members change roles and leave; an owner always remains."""

import pytest

from customers.models import AuditLogEntry, Membership
from customers.services.change_role import LastOwner, NotPermitted, change_role
from customers.services.remove_member import remove_member
from customers.services.transfer_ownership import transfer_ownership
from tests.customers.team import make_team, origin_of

pytestmark = pytest.mark.django_db


def role_of(membership):
    return Membership.objects.get(pk=membership.pk).role


class TestChangeRole:
    def test_owner_promotes_a_member_and_writes_the_audit_log(self):
        _, (owner, member) = make_team("owner", "member")
        change_role(membership=member, role="admin", actor=owner.user, **origin_of(owner))
        assert role_of(member) == "admin"
        entry = AuditLogEntry.objects.get()
        assert (entry.action, entry.actor, entry.address) == ("role_changed", owner.user, "192.0.2.7")
        assert entry.subject == f"{member.user.email}: member to admin"

    @pytest.mark.parametrize(("now", "to"), [("member", "owner"), ("owner", "member")])
    def test_admin_can_neither_promote_nor_demote_owners(self, now, to):
        _, (_, admin, other) = make_team("owner", "admin", now)
        with pytest.raises(NotPermitted):
            change_role(membership=other, role=to, actor=admin.user, **origin_of(admin))
        assert role_of(other) == now

    def test_last_owner_cannot_be_demoted(self):
        _, (owner,) = make_team("owner")
        with pytest.raises(LastOwner):
            change_role(membership=owner, role="member", actor=owner.user, **origin_of(owner))

    def test_deactivated_owner_does_not_count(self):
        _, (owner, other) = make_team("owner", "owner")
        other.user.is_active = False
        other.user.save()
        with pytest.raises(LastOwner):
            change_role(membership=owner, role="member", actor=owner.user, **origin_of(owner))

    def test_staff_cannot_demote_the_last_owner(self):
        _, (owner, member) = make_team("owner", "member")
        with pytest.raises(LastOwner):
            change_role(membership=owner, role="admin", actor=member.user, **origin_of(None))

    def test_reads_the_current_role_of_the_actor(self):
        _, (_, admin, member) = make_team("owner", "admin", "member")
        Membership.objects.filter(pk=admin.pk).update(role="member")
        with pytest.raises(NotPermitted):
            change_role(membership=member, role="billing", actor=admin.user, **origin_of(admin))


class TestRemoveMember:
    def test_member_can_leave(self):
        _, (_, member) = make_team("owner", "member")
        remove_member(membership=member, actor=member.user, **origin_of(member))
        assert not Membership.objects.filter(pk=member.pk).exists()
        assert AuditLogEntry.objects.get().subject == f"{member.user.email} left"

    def test_member_cannot_remove_others(self):
        _, (_, member, other) = make_team("owner", "member", "member")
        with pytest.raises(NotPermitted):
            remove_member(membership=other, actor=member.user, **origin_of(member))

    @pytest.mark.parametrize("is_own", [True, False])
    def test_last_owner_can_neither_leave_nor_be_removed_by_staff(self, is_own):
        _, (owner,) = make_team("owner")
        with pytest.raises(LastOwner):
            remove_member(membership=owner, actor=owner.user, **origin_of(owner if is_own else None))


class TestTransferOwnership:
    def test_swaps_the_roles(self):
        _, (owner, member) = make_team("owner", "member")
        transfer_ownership(to=member, **origin_of(owner))
        assert (role_of(owner), role_of(member)) == ("admin", "owner")
        assert AuditLogEntry.objects.get().action == "ownership_transferred"

    def test_admin_cannot_transfer(self):
        _, (_, admin, member) = make_team("owner", "admin", "member")
        with pytest.raises(NotPermitted):
            transfer_ownership(to=member, **origin_of(admin))

    def test_rejects_a_member_of_another_customer(self):
        _, (owner,) = make_team("owner")
        stranger = make_other()
        with pytest.raises(NotPermitted):
            transfer_ownership(to=stranger, **origin_of(owner))


def make_other() -> Membership:
    from tests.factories import MembershipFactory

    return MembershipFactory(role="member")
