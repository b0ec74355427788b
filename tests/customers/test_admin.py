"""What staff may do to a team and its users, and the audit log entries of it."""

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from customers.models import ApiKey, AuditLogEntry, Membership
from customers.services.manage_keys import create_api_key
from tests.customers.team import make_team

pytestmark = pytest.mark.django_db


def page(name, row):
    return reverse(f"admin:customers_{name}", args=[row.pk])


class TestMembership:
    def test_role_change_is_logged_as_rsolv_staff(self, staff):
        _, (_, member) = make_team("owner", "member")
        staff.post(page("membership_change", member), {"role": "admin"})
        assert Membership.objects.get(pk=member.pk).role == "admin"
        entry = AuditLogEntry.objects.get()
        assert (entry.action, entry.actor_name, entry.address) == ("role_changed", "RSOLV staff", None)

    def test_of_the_last_owner_cannot_be_demoted(self, staff):
        _, (owner, _) = make_team("owner", "member")
        answer = staff.post(page("membership_change", owner), {"role": "member"})
        assert "An account must have an owner" in answer.text
        assert Membership.objects.get(pk=owner.pk).role == "owner"

    def test_of_the_last_owner_cannot_be_deleted(self, staff):
        _, (owner, _) = make_team("owner", "member")
        assert staff.post(page("membership_delete", owner), {"post": "yes"}).status_code == 403
        assert Membership.objects.filter(pk=owner.pk).exists()

    def test_of_a_member_is_deleted_through_the_service(self, staff):
        _, (_, member) = make_team("owner", "member")
        staff.post(page("membership_delete", member), {"post": "yes"})
        assert not Membership.objects.filter(pk=member.pk).exists()
        assert AuditLogEntry.objects.get().action == "member_removed"

    def test_cannot_be_deleted_from_the_list(self, staff):
        _, (owner,) = make_team("owner")
        answer = {"action": "delete_selected", "_selected_action": [str(owner.pk)], "post": "yes"}
        staff.post(reverse("admin:customers_membership_changelist"), answer)
        assert Membership.objects.filter(pk=owner.pk).exists()


class TestStaffAuditLog:
    def test_records_a_revoked_key(self, staff):
        customer, _ = make_team("owner")
        create_api_key(customer=customer, name="key")
        answer = {"action": "revoke", "_selected_action": [str(ApiKey.objects.get().pk)]}
        staff.post(reverse("admin:customers_apikey_changelist"), answer)
        entry = AuditLogEntry.objects.get(action="key_revoked")
        assert entry.actor_name == "RSOLV staff"

    def test_records_a_removed_second_factor(self, staff):
        _, (owner,) = make_team("owner")
        step = Authenticator.objects.create(user=owner.user, type="totp", data={"secret": "SECRET"})
        answer = {"action": "remove_authenticators", "_selected_action": [str(step.pk)]}
        assert "SECRET" not in staff.get(reverse("admin:mfa_authenticator_change", args=[step.pk])).text
        staff.post(reverse("admin:mfa_authenticator_changelist"), answer)
        assert not Authenticator.objects.filter(user=owner.user).exists()
        assert AuditLogEntry.objects.get().action == "two_factor_off"

    def test_records_a_changed_name(self, staff):
        _, (owner,) = make_team("owner")
        staff.post(page("user_change", owner.user), {"name": "Alice", "is_active": "on"})
        entry = AuditLogEntry.objects.get()
        assert (entry.action, entry.actor_name) == ("staff_acted", "RSOLV staff")
        assert "Alice" in entry.subject

    @pytest.mark.parametrize("name", ["change", "delete"])
    def test_entry_cannot_be_changed_or_deleted(self, staff, name):
        customer, _ = make_team("owner")
        entry = AuditLogEntry.objects.create(customer=customer, action="key_made", actor_name="alice")
        sent = {"post": "yes", "actor_name": "bea"}
        assert staff.post(page(f"auditlogentry_{name}", entry), sent).status_code == 403
        assert AuditLogEntry.objects.get().actor_name == "alice"
