"""The team page, invitations and the audit log."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import AuditLogEntry, Customer, Invitation, Membership, User
from customers.services.manage_keys import create_api_key
from tests.customers.team import make_person, read_invitation
from tests.factories import MembershipFactory
from tests.tenants import Browser, set_role

TEAM = "/dashboard/team/"
SENT = {"email": "new@acme.test", "role": "member"}


class TestTeam:
    def test_runs_the_same_queries_for_more_members(self, alice: Browser) -> None:
        alice.post(f"{TEAM}invite/", SENT)
        alice.get(TEAM)
        counts = []
        for people in (0, 10):
            for number in range(people):
                MembershipFactory(customer=alice.customer, role="member")
                alice.post(f"{TEAM}invite/", {"email": f"p{number}@acme.test", "role": "member"})
            with CaptureQueriesContext(connection) as queries:
                assert alice.get(TEAM).status_code == 200
            counts.append(len(queries))
        alice.get(TEAM)
        assert counts[0] == counts[1]

    def test_member_can_view_but_not_manage(self, bob: Browser) -> None:
        page = bob.get(TEAM)
        assert page.status_code == 200
        assert "Send the invitation" not in page.text
        assert "Remove…" not in page.text
        assert bob.post(f"{TEAM}invite/", SENT).status_code == 403
        assert bob.get("/dashboard/audit-log/").status_code == 403

    def test_admin_cannot_create_an_owner(self, bob: Browser) -> None:
        set_role(bob, "admin")
        member = MembershipFactory(customer=bob.customer, role="member")
        assert bob.post(f"{TEAM}{member.pk}/role/", {"role": "owner"}).status_code == 403
        assert bob.post(f"{TEAM}{member.pk}/transfer/").status_code == 403
        page = bob.post(f"{TEAM}invite/", SENT | {"role": "owner"})
        assert page.status_code == 422
        assert not Invitation.objects.exists()

    def test_members_of_another_customer_are_not_found(
        self, alice: Browser, bob: Browser, mallory: Browser
    ) -> None:
        alice.post(f"{TEAM}invite/", SENT)
        invitation = Invitation.objects.get()
        for action in ("role", "remove", "transfer"):
            assert mallory.post(f"{TEAM}{bob.membership.pk}/{action}/", {"role": "member"}).status_code == 404
        for action in ("resend", "revoke"):
            assert mallory.post(f"{TEAM}invitations/{invitation.pk}/{action}/").status_code == 404
        assert bob.membership.user.email not in mallory.get(TEAM).text

    def test_explains_why_the_only_owner_cannot_leave(self, alice: Browser) -> None:
        assert "You are the only owner" in alice.get(TEAM).text
        page = alice.post(f"{TEAM}leave/", follow=True)
        assert "An account must have an owner" in page.text
        assert Membership.objects.filter(customer=alice.customer).count() == 1

    def test_removed_member_has_no_account_on_the_next_page(self, alice: Browser, bob: Browser) -> None:
        assert bob.get(TEAM).status_code == 200
        alice.post(f"{TEAM}{bob.membership.pk}/remove/")
        assert "No account yet" in bob.get(TEAM, follow=True).text

    def test_lists_the_keys_of_a_member_before_removal(self, alice: Browser, bob: Browser) -> None:
        set_role(bob, "admin")
        key = create_api_key(customer=bob.customer, name="Nightly", created_by=bob.membership.user).api_key
        page = alice.get(TEAM).text
        assert "Nightly" in page
        assert key.prefix in page
        assert "never used" in page

    def test_removing_reports_revoked_invitations_and_keys(self, alice: Browser, bob: Browser) -> None:
        set_role(bob, "admin")
        create_api_key(customer=bob.customer, name="Nightly", created_by=bob.membership.user)
        bob.post(f"{TEAM}invite/", SENT)
        page = alice.post(f"{TEAM}{bob.membership.pk}/remove/", {"keys": "revoke"}, follow=True).text
        assert "1 open invitation was revoked." in page
        assert "1 API key was revoked." in page

    def test_removing_keeps_keys_on_request(self, alice: Browser, bob: Browser) -> None:
        set_role(bob, "admin")
        key = create_api_key(customer=bob.customer, name="Nightly", created_by=bob.membership.user).api_key
        page = alice.post(f"{TEAM}{bob.membership.pk}/remove/", {"keys": "keep"}, follow=True).text
        assert "1 API key was reassigned and still works." in page
        key.refresh_from_db()
        assert key.is_active
        assert key.created_by != bob.membership.user

    def test_invalid_choice_removes_nobody(self, alice: Browser, bob: Browser) -> None:
        assert alice.post(f"{TEAM}{bob.membership.pk}/remove/", {"keys": "both"}).status_code == 403
        assert Membership.objects.filter(pk=bob.membership.pk).exists()

    def test_leaving_reports_revoked_keys(self, bob: Browser) -> None:
        set_role(bob, "admin")
        create_api_key(customer=bob.customer, name="Nightly", created_by=bob.membership.user)
        page = bob.post(f"{TEAM}leave/", follow=True).text
        assert "You have left Acme." in page
        assert "1 API key was revoked." in page

    def test_lower_role_reports_reassigned_keys(self, alice: Browser, bob: Browser) -> None:
        set_role(bob, "admin")
        create_api_key(customer=bob.customer, name="Nightly", created_by=bob.membership.user)
        page = alice.post(f"{TEAM}{bob.membership.pk}/role/", {"role": "member"}, follow=True).text
        assert "1 API key was reassigned and still works." in page

    def test_owner_transfers_ownership(self, alice: Browser, bob: Browser) -> None:
        alice.post(f"{TEAM}{bob.membership.pk}/transfer/")
        roles = (
            Membership.objects.filter(customer=alice.customer).order_by("pk").values_list("role", flat=True)
        )
        assert list(roles) == ["admin", "owner"]

    def test_leaving_requires_post(self, alice: Browser) -> None:
        assert alice.get(f"{TEAM}leave/").status_code == 405


class TestInvitation:
    def test_creates_a_user_and_signs_them_in(self, alice: Browser) -> None:
        alice.post(f"{TEAM}invite/", SENT)
        client, path = Client(), read_invitation()
        assert "Acme" in client.get(path).text
        page = client.post(path, {"name": "Nia", "password": "correct-horse-battery"}, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert User.objects.get(email="new@acme.test").memberships.get().customer == alice.customer
        assert Customer.objects.count() == 1
        assert client.get(path).status_code == 410

    def test_rejects_a_weak_password(self, alice: Browser) -> None:
        alice.post(f"{TEAM}invite/", SENT)
        assert Client().post(read_invitation(), {"name": "Nia", "password": "short"}).status_code == 422
        assert not User.objects.filter(email="new@acme.test").exists()

    def test_existing_user_signs_in_and_accepts(self, alice: Browser) -> None:
        person = make_person("new@acme.test")
        alice.post(f"{TEAM}invite/", SENT)
        client, path = Client(), read_invitation()
        assert f"/accounts/login/?next={path}" in client.get(path).text
        login = {"login": person.email, "password": "correct-horse-battery"}
        page = client.post(f"/accounts/login/?next={path}", login | {"next": path}, follow=True)
        assert page.redirect_chain[-1][0] == path
        client.post(path)
        assert person.memberships.get().customer == alice.customer

    def test_rejects_another_user_with_an_explanation(self, alice: Browser, mallory: Browser) -> None:
        alice.post(f"{TEAM}invite/", SENT)
        path = read_invitation()
        assert "You are logged in as" in mallory.get(path).text
        assert mallory.post(path).status_code == 403
        assert not Invitation.objects.get().accepted_at


class TestAuditLog:
    def fill(self, customer: Customer, number: int = 1, **fields: str) -> None:
        AuditLogEntry.objects.bulk_create(
            AuditLogEntry(
                customer=customer, action="key_made", actor_name="alice@acme.test", at=timezone.now()
            )
            for _ in range(number)
        )

    def test_is_paginated_with_a_constant_number_of_queries(self, alice: Browser) -> None:
        counts = []
        for number in (1, 70):
            self.fill(alice.customer, number)
            with CaptureQueriesContext(connection) as queries:
                page = alice.get("/dashboard/audit-log/")
            counts.append(len(queries))
        assert counts[0] == counts[1]
        assert page.text.count("alice@acme.test") == 50
        assert alice.get("/dashboard/audit-log/?page=2").text.count("alice@acme.test") == 21

    def test_is_filtered_by_action(self, alice: Browser) -> None:
        self.fill(alice.customer)
        assert "alice@acme.test" in alice.get("/dashboard/audit-log/?action=key_made").text
        assert "Nothing of this kind" in alice.get("/dashboard/audit-log/?action=cap_changed").text

    def test_excludes_entries_of_another_customer(self, alice: Browser, mallory: Browser) -> None:
        self.fill(alice.customer)
        assert "alice@acme.test" not in mallory.get("/dashboard/audit-log/").text
        export = mallory.get("/dashboard/audit-log/export/")
        assert b"alice@acme.test" not in b"".join(export)

    def test_export_is_streamed(self, alice: Browser) -> None:
        self.fill(alice.customer, 3)
        AuditLogEntry.objects.create(
            customer=alice.customer, action="key_made", actor_name="=cmd()", subject="+1"
        )
        export = alice.get("/dashboard/audit-log/export/")
        lines = b"".join(export).decode().splitlines()
        assert export.streaming
        assert lines[0] == "at,action,who,what,address,device"
        assert len(lines) == 6
        assert "Exported data" in lines[1]
        assert "'=cmd(),'+1" in lines[2]
