"""Staff change users and customers only through services, and every action is recorded."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import ApiKey, AuditLogEntry, Customer, Membership, StaffAction, User
from customers.services.manage_keys import create_api_key
from provisioning.models import OutgoingMail
from tests.customers.team import make_person, make_team
from tests.factories import CustomerFactory
from tests.signup import deliver_mails
from tests.staff import StaffBrowser, give_second_step, make_staff, open_staff_browser

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux) Firefox/142.0"
EMPTY = {f"memberships-{k}_FORMS": 0 for k in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}


@pytest.fixture
def support() -> StaffBrowser:
    """Staff who may change users and customers, but are not superusers."""
    names = ("customers.*", "account.*", "mfa.*", "auth.*")
    return open_staff_browser(make_staff(*names), headers={"User-Agent": FIREFOX})


def page(name: str, *rows: Any) -> str:
    return reverse(f"admin:{name}", args=[row.pk for row in rows])


def run_action(browser: Client, name: str, action: str, *rows: Any) -> Any:
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return browser.post(page(f"{name}_changelist"), chosen, follow=True)


class TestStaffWhoMayChangeUsers:
    ASKED = {"name": "Eve", "is_active": "on", "is_staff": "on", "is_superuser": "on"}

    def test_cannot_make_themselves_superuser(self, support: StaffBrowser) -> None:
        assert support.post(page("customers_user_change", support.user), self.ASKED).status_code == 403
        support.user.refresh_from_db()
        assert not support.user.is_superuser

    def test_cannot_make_a_friend_staff(self, support: StaffBrowser) -> None:
        friend = make_person("friend@acme.test")
        group = Group.objects.create(name="all")
        sent = self.ASKED | {"groups": [group.pk], "email": "x@y.test", "password": "x"}
        support.post(page("customers_user_change", friend), sent)
        before = friend.password
        friend.refresh_from_db()
        assert (friend.name, friend.is_staff, friend.is_superuser) == ("Eve", False, False)
        assert (friend.email, friend.password, friend.groups.count()) == ("friend@acme.test", before, 0)

    @pytest.mark.parametrize("action", ["grant_staff_access", "end_staff_access", "grant_group_1"])
    def test_cannot_grant_or_end_staff_access(self, support: StaffBrowser, action: str) -> None:
        person, boss = make_person("a@acme.test"), make_staff(is_superuser=True)
        give_second_step(person)
        run_action(support, "customers_user", action, person, boss)
        assert list(User.objects.filter(is_staff=True)) == sorted([support.user, boss], key=lambda u: u.email)

    def test_cannot_change_staff_users(self, support: StaffBrowser) -> None:
        boss = make_staff(is_superuser=True)
        assert support.post(page("customers_user_change", boss), {"name": "x"}).status_code == 403
        run_action(support, "customers_user", "send_password_reset", boss)
        run_action(support, "mfa_authenticator", "remove_authenticators", boss.authenticator_set.get())
        boss.refresh_from_db()
        assert boss.is_active and boss.authenticator_set.count() == 1
        deliver_mails()
        assert mail.outbox == []

    def test_cannot_set_a_password(self, support: StaffBrowser) -> None:
        boss = make_staff(is_superuser=True)
        new = {"password1": "another-horse-2", "password2": "another-horse-2", "usable_password": "true"}
        assert support.post(f"/staff/customers/user/{boss.pk}/password/", new).status_code in (302, 404)
        boss.refresh_from_db()
        assert not boss.check_password("another-horse-2")

    def test_can_send_a_password_reset(self, support: StaffBrowser) -> None:
        _, (owner,) = make_team("owner")
        EmailAddress.objects.create(user=owner.user, email=owner.user.email, verified=True, primary=True)
        run_action(support, "customers_user", "send_password_reset", owner.user)
        deliver_mails()
        assert mail.outbox[-1].to == [owner.user.email] and "/password/reset/key/" in mail.outbox[-1].body
        for _ in range(12):
            run_action(support, "customers_user", "send_password_reset", owner.user)
        assert (
            OutgoingMail.objects.count() == 13
        )  # none is dropped by rate limits, because the page reports it as sent
        assert {each.actor_name for each in AuditLogEntry.objects.all()} == {"RSOLV staff"}

    def test_can_deactivate_a_user_at_once(self, support: StaffBrowser) -> None:
        _, (owner,) = make_team("owner")
        theirs = Client()
        theirs.force_login(owner.user)
        assert theirs.get("/dashboard/").status_code == 200
        support.post(page("customers_user_change", owner.user), {"name": ""})
        assert theirs.get("/dashboard/").status_code == 302
        assert "deactivated" in AuditLogEntry.objects.get().subject

    def test_cannot_add_or_delete_users(self, support: StaffBrowser) -> None:
        person = make_person("a@acme.test")
        assert support.get(page("customers_user_add")).status_code == 403
        assert support.post(page("customers_user_delete", person), {"post": "yes"}).status_code == 403

    def test_cannot_change_groups(self, support: StaffBrowser) -> None:
        group = Group.objects.create(name="support")
        every = [permission.pk for permission in Permission.objects.all()]
        sent = {"name": "support", "permissions": every}
        assert support.post(page("auth_group_change", group), sent).status_code == 403
        assert support.post(page("auth_group_add"), sent | {"name": "new"}).status_code == 403
        assert group.permissions.count() == 0


class TestEmailAddress:
    def test_cannot_be_added_changed_or_deleted_by_staff(self, staff: StaffBrowser) -> None:
        victim, (address,) = make_person("v@acme.test"), EmailAddress.objects.all()[:1] or [None]
        address = EmailAddress.objects.get(user=victim)
        sent = {
            "user": victim.pk,
            "email": "evil@evil.test",
            "verified": "on",
            "primary": "on",
            "post": "yes",
        }
        for path in (
            page("account_emailaddress_add"),
            page("account_emailaddress_change", address),
            page("account_emailaddress_delete", address),
        ):
            assert staff.post(path, sent).status_code == 403
        for action in ("delete_selected", "make_verified"):
            run_action(staff, "account_emailaddress", action, address)
        assert list(EmailAddress.objects.values_list("email", "verified")) == [("v@acme.test", True)]


class TestSuperuser:
    def test_grants_access_only_to_users_with_a_second_factor(self, staff: StaffBrowser) -> None:
        person, group = make_person("new@rsolv.test"), Group.objects.create(name="support")
        answer = run_action(staff, "customers_user", f"grant_group_{group.pk}", person)
        assert "must do so before they get staff access" in answer.text
        person.refresh_from_db()
        assert not person.is_staff and not StaffAction.objects.filter(action="access_granted").exists()
        give_second_step(person)
        run_action(staff, "customers_user", f"grant_group_{group.pk}", person)
        person.refresh_from_db()
        assert person.is_staff and list(person.groups.all()) == [group] and not person.is_superuser
        entry = StaffAction.objects.get(action="access_granted")
        assert (entry.staff, entry.subject, entry.detail) == (staff.user, "new@rsolv.test", "support")

    def test_ends_access_with_groups_and_permissions(self, staff: StaffBrowser) -> None:
        other = make_staff("view_*", is_superuser=True)
        other.groups.add(Group.objects.create(name="support"))
        run_action(staff, "customers_user", "end_staff_access", other)
        other.refresh_from_db()
        assert not (other.is_staff or other.is_superuser or other.groups.count())
        assert other.user_permissions.count() == 0
        assert StaffAction.objects.filter(action="access_ended", subject=other.email).count() == 1

    def test_cannot_end_their_own_access(self, staff: StaffBrowser) -> None:
        assert (
            "nobody may end their own"
            in run_action(staff, "customers_user", "end_staff_access", staff.user).text
        )
        staff.user.refresh_from_db()
        assert staff.user.is_superuser

    def test_change_of_group_permissions_is_recorded(self, staff: StaffBrowser) -> None:
        group = Group.objects.create(name="support")
        may = Permission.objects.get(codename="view_apikey", content_type__app_label="customers")
        staff.post(page("auth_group_change", group), {"name": "support", "permissions": [may.pk]})
        assert list(group.permissions.all()) == [may]
        assert "view_apikey" in StaffAction.objects.get(action="changed").detail


class TestMembership:
    def test_cannot_be_added_by_staff(self, staff: StaffBrowser) -> None:
        """Members join only by accepting an invitation."""
        acme, _ = make_team("owner")
        sent = {"customer": str(acme.pk), "user": staff.user.pk, "role": "owner"}
        assert staff.post(page("customers_membership_add"), sent).status_code == 403
        assert acme.memberships.count() == 1

    def test_change_by_staff_who_are_members_is_logged_as_staff(self, support: StaffBrowser) -> None:
        acme, (_, member) = make_team("owner", "member")
        Membership.objects.create(customer=acme, user=support.user, role="member")
        support.post(page("customers_membership_change", member), {"role": "admin"})
        assert AuditLogEntry.objects.get().actor_name == "RSOLV staff"


class TestCustomer:
    def test_form_cannot_close_or_block(self, support: StaffBrowser) -> None:
        acme = CustomerFactory(name="Acme", email="a@acme.test")
        sent = {"name": "Acme Ltd", "email": "b@acme.test", "closed_at_0": "2020-01-01", "closed_at_1": "0:0"}
        support.post(page("customers_customer_change", acme), sent | EMPTY | {"blocked_reason": "x"})
        acme.refresh_from_db()
        assert (acme.name, acme.email, acme.closed_at, acme.blocked_reason) == (
            "Acme Ltd",
            "b@acme.test",
            None,
            "",
        )
        entry = AuditLogEntry.objects.get()
        assert entry.subject == "name: Acme to Acme Ltd, email: a@acme.test to b@acme.test"

    def test_rejects_the_address_of_another_customer(self, support: StaffBrowser) -> None:
        acme, other = CustomerFactory(), CustomerFactory(email="other@acme.test")
        sent = {"name": "x", "email": "OTHER@acme.test"} | EMPTY
        assert "Another open account" in support.post(page("customers_customer_change", acme), sent).text
        assert Customer.objects.get(pk=other.pk).email == "other@acme.test"

    def test_cannot_be_added(self, staff: StaffBrowser) -> None:
        """Nobody could sign in to a customer without an owner, and its address could no longer sign up."""
        assert (
            staff.post(page("customers_customer_add"), {"name": "New", "email": "n@new.test"}).status_code
            == 403
        )
        assert not Customer.objects.exists()

    def test_lists_its_members_with_a_constant_number_of_queries(self, staff: StaffBrowser) -> None:
        counts = []
        for roles in (("owner",), ("owner", *["member"] * 5)):
            acme, _ = make_team(*roles)
            with CaptureQueriesContext(connection) as queries:
                assert staff.get(page("customers_customer_change", acme)).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestApiKey:
    def test_can_be_renamed_but_not_extended(self, support: StaffBrowser) -> None:
        key = create_api_key(
            customer=CustomerFactory(), name="CI", expires_at=timezone.now() - timedelta(days=1)
        ).api_key
        sent = {"name": "Old CI", "expires_at_0": "2099-01-01", "expires_at_1": "00:00"}
        support.post(page("customers_apikey_change", key), sent)
        found = ApiKey.objects.get()
        assert (found.name, found.is_active) == ("Old CI", False)
        assert "CI to Old CI" in AuditLogEntry.objects.get(action="key_renamed").subject


class TestEveryPage:
    @pytest.mark.parametrize(
        ("route", "sent"),
        [
            ("customers_customer_changelist", {"action": "block", "_selected_action": "zzz"}),
            ("customers_customer_changelist", {"action": "block", "_selected_action": "\x00"}),
            ("customers_user_changelist", {"action": "send_password_reset", "_selected_action": "zzz"}),
            ("customers_user_changelist", {"action": "send_password_reset", "_selected_action": "9" * 40}),
            ("customers_ratelimit_add", {"customer": "zzz", "requests_per_minute": "5"}),
        ],
    )
    def test_rejects_malformed_ids(self, staff: StaffBrowser, route: str, sent: dict[str, str]) -> None:
        assert staff.post(page(route), sent).status_code == 400

    @pytest.mark.parametrize("year", ["0", "-1", "10000", "9" * 20, "zzz"])
    def test_rejects_invalid_years(self, staff: StaffBrowser, year: str) -> None:
        assert staff.get(f"{page('customers_auditlogentry_changelist')}?at__year={year}").status_code == 400

    def test_list_has_no_delete_action(self, staff: StaffBrowser) -> None:
        request = RequestFactory().get("/")
        request.user = staff.user
        for page_of in admin.site._registry.values():
            assert "delete_selected" not in page_of.get_actions(request), page_of

    def test_action_is_recorded_with_its_rows(self, support: StaffBrowser) -> None:
        acme = CustomerFactory(name="Acme")
        run_action(support, "customers_customer", "block", acme)
        entry = StaffAction.objects.get()
        assert (entry.action, entry.subject, entry.customer) == ("ran_action", "customer Acme", acme)
        assert entry.staff == support.user and "Block" in entry.detail


class TestStaffAuditLog:
    def test_records_logins_with_address_and_device(self, client: Client) -> None:
        person = make_person("staff@rsolv.test")
        User.objects.filter(pk=person.pk).update(is_staff=True)
        for password in ("wrong", "correct-horse-battery"):
            sent = {"login": "staff@rsolv.test", "password": password}
            client.post("/accounts/login/", sent, REMOTE_ADDR="192.0.2.7", headers={"User-Agent": FIREFOX})
        found = StaffAction.objects.order_by("at").values_list("action", "staff_name", "address", "device")
        assert list(found) == [
            ("login_failed", "staff@rsolv.test", "192.0.2.7", "Firefox on Linux"),
            ("logged_in", "staff@rsolv.test", "192.0.2.7", "Firefox on Linux"),
        ]

    def test_records_a_wrong_code(self, client: Client) -> None:
        person = make_person("staff@rsolv.test")
        User.objects.filter(pk=person.pk).update(is_staff=True)
        give_second_step(person)
        client.post("/accounts/login/", {"login": person.email, "password": "correct-horse-battery"})
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
        assert list(StaffAction.objects.values_list("action", flat=True)) == ["login_failed"]

    def test_does_not_record_logins_of_customers(self, client: Client) -> None:
        person = make_person("alice@acme.test")
        client.post("/accounts/login/", {"login": person.email, "password": "correct-horse-battery"})
        assert not StaffAction.objects.exists()

    def test_is_visible_to_superusers_only(self, support: StaffBrowser, staff: StaffBrowser) -> None:
        entry = StaffAction.objects.create(staff_name="sam", action="logged_in")
        paths = (page("customers_staffaction_changelist"), page("customers_staffaction_change", entry))
        assert [support.get(path).status_code for path in paths] == [403, 403]
        assert [staff.get(path).status_code for path in paths] == [200, 200]

    def test_is_append_only(self, staff: StaffBrowser) -> None:
        from customers.models import AppendOnly

        entry = StaffAction.objects.create(staff_name="sam", action="logged_in")
        for kind in ("change", "delete"):
            sent = {"staff_name": "bea", "post": "yes"}
            assert staff.post(page(f"customers_staffaction_{kind}", entry), sent).status_code == 403
        for change in (entry.save, entry.delete, StaffAction.objects.all().delete):
            with pytest.raises(AppendOnly):
                change()
        with pytest.raises(AppendOnly):
            StaffAction.objects.update(staff_name="bea")

    def test_entry_outlives_its_user(self) -> None:
        person = make_staff()
        StaffAction.objects.create(staff=person, staff_name=person.email, action="logged_in")
        name = person.email
        person.delete()
        assert StaffAction.objects.get().staff_name == name

    def test_records_commands(self) -> None:
        from django.core.management import CommandError, call_command

        person = make_person("staff@rsolv.test")
        with pytest.raises(CommandError, match="must do so before they get staff access"):
            call_command("staff_access", person.email)
        give_second_step(person)
        call_command("staff_access", person.email, superuser=True)
        person.refresh_from_db()
        assert person.is_superuser
        call_command("staff_access", person.email, end=True)
        found = StaffAction.objects.order_by("at").values_list("action", "staff_name")
        assert list(found) == [
            ("access_granted", "command on the server"),
            ("access_ended", "command on the server"),
        ]


def test_recovery_codes_are_deleted_with_the_last_second_factor(staff: StaffBrowser) -> None:
    person = make_person("a@acme.test")
    step = give_second_step(person)
    Authenticator.objects.create(user=person, type="recovery_codes", data={})
    run_action(staff, "mfa_authenticator", "remove_authenticators", step)
    assert not person.authenticator_set.exists()
    deliver_mails()
    assert mail.outbox[-1].to == [person.email]
