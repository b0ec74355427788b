"""The team's page, and the way in by an invitation."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import AuditLogEntry, Customer, Invitation, Membership, User
from customers.services.manage_keys import create_api_key
from tests.customers.team import make_person, read_invitation
from tests.factories import MembershipFactory
from tests.rsolv.portal.conftest import Browser, alice, mallory, open_browser  # noqa: F401 - fixtures

TEAM = "/dashboard/team/"
SENT = {"email": "new@acme.test", "role": "member"}


def log_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def add(browser: Browser, role: str) -> Membership:
    return MembershipFactory(customer=browser.customer, role=role)


class TestTheTeam:
    def test_asks_as_many_questions_for_ten_as_for_one(self, alice: Browser) -> None:  # noqa: F811
        alice.post(f"{TEAM}invite/", SENT)
        alice.get(TEAM)
        counts = []
        for people in (0, 10):
            for number in range(people):
                add(alice, "member")
                alice.post(f"{TEAM}invite/", {"email": f"p{number}@acme.test", "role": "member"})
            with CaptureQueriesContext(connection) as queries:
                assert alice.get(TEAM).status_code == 200
            counts.append(len(queries))
        alice.get(TEAM)
        assert counts[0] == counts[1]

    def test_a_member_sees_it_and_manages_nothing(self, alice: Browser) -> None:  # noqa: F811
        member = log_in(add(alice, "member"))
        page = member.get(TEAM)
        assert page.status_code == 200
        assert "Send the invitation" not in page.text
        assert "Remove…" not in page.text
        assert member.post(f"{TEAM}invite/", SENT).status_code == 403
        assert member.get("/dashboard/audit-log/").status_code == 403

    def test_an_admin_cannot_make_an_owner(self, alice: Browser) -> None:  # noqa: F811
        admin, member = log_in(add(alice, "admin")), add(alice, "member")
        assert admin.post(f"{TEAM}{member.pk}/role/", {"role": "owner"}).status_code == 403
        assert admin.post(f"{TEAM}{member.pk}/transfer/").status_code == 403
        page = admin.post(f"{TEAM}invite/", SENT | {"role": "owner"})
        assert page.status_code == 422
        assert not Invitation.objects.exists()

    def test_another_customers_people_are_not_there(self, alice: Browser, mallory: Browser) -> None:  # noqa: F811
        member = add(alice, "member")
        alice.post(f"{TEAM}invite/", SENT)
        invitation = Invitation.objects.get()
        for action in ("role", "remove", "transfer"):
            assert mallory.post(f"{TEAM}{member.pk}/{action}/", {"role": "member"}).status_code == 404
        for action in ("resend", "revoke"):
            assert mallory.post(f"{TEAM}invitations/{invitation.pk}/{action}/").status_code == 404
        assert member.user.email not in mallory.get(TEAM).text

    def test_the_only_owner_is_told_why_they_cannot_leave(self, alice: Browser) -> None:  # noqa: F811
        assert "You are the only owner" in alice.get(TEAM).text
        page = alice.post(f"{TEAM}leave/", follow=True)
        assert "An account keeps an owner" in page.text
        assert Membership.objects.filter(customer=alice.customer).count() == 1

    def test_somebody_removed_has_no_account_on_their_next_page(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "member")
        theirs = log_in(member)
        assert theirs.get(TEAM).status_code == 200
        alice.post(f"{TEAM}{member.pk}/remove/")
        assert "No account yet" in theirs.get(TEAM, follow=True).text

    def test_lists_the_keys_that_somebody_made_before_they_are_removed(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "admin")
        key = create_api_key(customer=alice.customer, name="Nightly", created_by=member.user).api_key
        page = alice.get(TEAM).text
        assert "Nightly" in page
        assert key.prefix in page
        assert "never used" in page

    def test_removing_says_what_ended(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "admin")
        create_api_key(customer=alice.customer, name="Nightly", created_by=member.user)
        log_in(member).post(f"{TEAM}invite/", SENT)
        page = alice.post(f"{TEAM}{member.pk}/remove/", {"keys": "revoke"}, follow=True).text
        assert "1 open invitation was revoked." in page
        assert "1 API key was revoked." in page

    def test_removing_keeps_keys_where_that_is_chosen(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "admin")
        key = create_api_key(customer=alice.customer, name="Nightly", created_by=member.user).api_key
        page = alice.post(f"{TEAM}{member.pk}/remove/", {"keys": "keep"}, follow=True).text
        assert "1 API key goes on working and was reassigned." in page
        key.refresh_from_db()
        assert key.is_active
        assert key.created_by != member.user

    def test_a_choice_that_is_none_removes_nobody(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "admin")
        assert alice.post(f"{TEAM}{member.pk}/remove/", {"keys": "both"}).status_code == 403
        assert Membership.objects.filter(pk=member.pk).exists()

    def test_leaving_says_what_ended(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "admin")
        create_api_key(customer=alice.customer, name="Nightly", created_by=member.user)
        page = log_in(member).post(f"{TEAM}leave/", follow=True).text
        assert "You have left Acme." in page
        assert "1 API key was revoked." in page

    def test_a_lower_role_says_what_ended(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "admin")
        create_api_key(customer=alice.customer, name="Nightly", created_by=member.user)
        page = alice.post(f"{TEAM}{member.pk}/role/", {"role": "member"}, follow=True).text
        assert "1 API key goes on working and was reassigned." in page

    def test_an_owner_gives_the_account_away(self, alice: Browser) -> None:  # noqa: F811
        member = add(alice, "member")
        alice.post(f"{TEAM}{member.pk}/transfer/")
        roles = (
            Membership.objects.filter(customer=alice.customer).order_by("pk").values_list("role", flat=True)
        )
        assert list(roles) == ["admin", "owner"]

    def test_only_posts_change_anything(self, alice: Browser) -> None:  # noqa: F811
        assert alice.get(f"{TEAM}leave/").status_code == 405


class TestAnInvitation:
    def test_makes_a_person_who_is_logged_in_at_once(self, alice: Browser) -> None:  # noqa: F811
        alice.post(f"{TEAM}invite/", SENT)
        client, path = Client(), read_invitation()
        assert "Acme" in client.get(path).text
        page = client.post(path, {"name": "Nia", "password": "correct-horse-battery"}, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert User.objects.get(email="new@acme.test").memberships.get().customer == alice.customer
        assert Customer.objects.count() == 1
        assert client.get(path).status_code == 410

    def test_a_weak_password_is_refused(self, alice: Browser) -> None:  # noqa: F811
        alice.post(f"{TEAM}invite/", SENT)
        assert Client().post(read_invitation(), {"name": "Nia", "password": "short"}).status_code == 422
        assert not User.objects.filter(email="new@acme.test").exists()

    def test_somebody_with_a_login_logs_in_and_presses(self, alice: Browser) -> None:  # noqa: F811
        person = make_person("new@acme.test")
        alice.post(f"{TEAM}invite/", SENT)
        client, path = Client(), read_invitation()
        assert f"/accounts/login/?next={path}" in client.get(path).text
        login = {"login": person.email, "password": "correct-horse-battery"}
        page = client.post(f"/accounts/login/?next={path}", login | {"next": path}, follow=True)
        assert page.redirect_chain[-1][0] == path
        client.post(path)
        assert person.memberships.get().customer == alice.customer

    def test_somebody_else_is_told_whose_it_is(self, alice: Browser, mallory: Browser) -> None:  # noqa: F811
        alice.post(f"{TEAM}invite/", SENT)
        path = read_invitation()
        assert "You are logged in as" in mallory.get(path).text
        assert mallory.post(path).status_code == 403
        assert not Invitation.objects.get().accepted_at


class TestTheAuditLog:
    def fill(self, customer: Customer, number: int = 1, **fields: str) -> None:
        AuditLogEntry.objects.bulk_create(
            AuditLogEntry(customer=customer, action="key_made", actor_name="ann@acme.test", at=timezone.now())
            for _ in range(number)
        )

    def test_is_paged_and_asks_as_many_questions_for_many(self, alice: Browser) -> None:  # noqa: F811
        counts = []
        for number in (1, 70):
            self.fill(alice.customer, number)
            with CaptureQueriesContext(connection) as queries:
                page = alice.get("/dashboard/audit-log/")
            counts.append(len(queries))
        assert counts[0] == counts[1]
        assert page.text.count("ann@acme.test") == 50
        assert alice.get("/dashboard/audit-log/?page=2").text.count("ann@acme.test") == 21

    def test_is_filtered_by_act(self, alice: Browser) -> None:  # noqa: F811
        self.fill(alice.customer)
        assert "ann@acme.test" in alice.get("/dashboard/audit-log/?action=key_made").text
        assert "Nothing of this kind" in alice.get("/dashboard/audit-log/?action=cap_changed").text

    def test_shows_nothing_of_another_customer(self, alice: Browser, mallory: Browser) -> None:  # noqa: F811
        self.fill(alice.customer)
        assert "ann@acme.test" not in mallory.get("/dashboard/audit-log/").text
        export = mallory.get("/dashboard/audit-log/export/")
        assert b"ann@acme.test" not in b"".join(export)

    def test_is_exported_while_it_is_read(self, alice: Browser) -> None:  # noqa: F811
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
