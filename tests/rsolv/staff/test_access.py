"""Access to the staff admin: login, session lifetime and reauthentication before changes."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from customers.models import Customer, StaffAction, User
from tests.customers.team import make_person
from tests.factories import UserFactory
from tests.staff import (
    StaffBrowser,
    compute_code,
    give_second_step,
    make_staff,
    open_staff_browser,
    show_two_steps,
)

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
STAFF, LOGIN, SECOND = "/staff/", "/accounts/login/", "/accounts/2fa/authenticate/"
AGAIN = "/accounts/2fa/reauthenticate/"
# Pages of the site itself, in addition to those of the models.
SITE_PAGES = (
    "/staff/",
    "/staff/search/?s=a",
    "/staff/jsi18n/",
    "/staff/autocomplete/",
    "/staff/password_change/",
    "/staff/password_change/done/",
    "/staff/logout/",
    "/staff/r/1/1/",
    "/staff/customers/",
    "/staff/customers/user/",
    "/staff/nowhere/",
)


@pytest.fixture
def superuser() -> User:
    """A superuser with a password and no second factor."""
    user = make_person("staff@rsolv.test")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    return user


def log_in(client: Client, *, code: bool = True, password: str = PASSWORD) -> Any:
    sent = {"login": "staff@rsolv.test", "password": password}
    answer = client.post(f"{LOGIN}?next={STAFF}", sent | {"next": STAFF})
    if code and answer.headers.get("Location", "").startswith(SECOND):
        answer = client.post(SECOND, {"code": compute_code()})
    return answer


class TestLogin:
    def test_accepts_no_password_itself(self, client: Client, superuser: User) -> None:
        answer = client.post("/staff/login/", {"username": superuser.email, "password": PASSWORD})
        assert answer.status_code == 302 and answer["Location"].startswith(LOGIN)
        assert "_auth_user_id" not in client.session

    def test_redirects_to_the_login_of_the_portal_and_back(self, client: Client) -> None:
        answer = client.get("/staff/customers/user/", follow=True)
        assert answer.redirect_chain[-1][0] == f"{LOGIN}?next=%2Fstaff%2Fcustomers%2Fuser%2F"

    def test_succeeds_with_two_factors(self, client: Client, superuser: User) -> None:
        give_second_step(superuser)
        assert log_in(client)["Location"] == STAFF
        assert client.get(STAFF).status_code == 200

    def test_rejects_the_password_alone(self, client: Client, superuser: User) -> None:
        give_second_step(superuser)
        log_in(client, code=False)
        assert client.get(STAFF)["Location"].startswith("/staff/login/")

    def test_limits_guessing(self, client: Client, superuser: User, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = {}  # allauth's own, as in production
        pages = [log_in(client, password=f"wrong-{number}") for number in range(40)]
        assert "Too many failed login attempts" in pages[10].text
        assert pages[-1].status_code == 429
        assert StaffAction.objects.filter(action="login_failed").count() == 5

    def test_rejects_other_users(self, client: Client) -> None:
        client.force_login(UserFactory())
        assert client.get("/staff/login/").status_code == 403


class TestAbandonedChange:
    def test_is_not_run_after_a_later_question(self, client: Client) -> None:
        staff, person = open_staff_browser(make_staff(is_superuser=True)), make_person("p@acme.test")
        address = reverse("admin:customers_user_change", args=[person.pk])
        show_two_steps(staff, seconds_ago=1200)
        staff.post(address, {"name": "Abandoned"})
        asked = staff.get(address)
        staff.post(asked["Location"], {"code": compute_code()})
        person.refresh_from_db()
        assert person.name != "Abandoned" and person.is_active


def test_logout_needs_no_reauthentication(db: None) -> None:
    staff = open_staff_browser(make_staff(is_superuser=True))
    show_two_steps(staff, seconds_ago=1200)
    staff.post("/staff/logout/")
    assert "_auth_user_id" not in staff.session


class TestStaffWithoutSecondFactor:
    def test_are_redirected_to_set_one_up(self, client: Client, superuser: User) -> None:
        log_in(client)
        answer = client.get(STAFF, follow=True)
        assert answer.redirect_chain == [("/accounts/2fa/", 302)]
        assert "Set up a passkey or an authenticator app first" in answer.text

    @pytest.mark.parametrize("page", SITE_PAGES)
    def test_cannot_open_any_other_page(self, client: Client, superuser: User, page: str) -> None:
        log_in(client)
        for ask in (client.get, client.post):
            assert ask(page)["Location"] == "/accounts/2fa/"

    def test_must_use_it_after_setting_it_up(self, client: Client, superuser: User) -> None:
        log_in(client)
        give_second_step(superuser)
        assert client.get(STAFF)["Location"] == f"{AGAIN}?next=%2Fstaff%2F"
        assert client.post(f"{AGAIN}?next={STAFF}", {"code": compute_code()})["Location"] == STAFF
        assert client.get(STAFF).status_code == 200

    def test_lose_access_after_it_is_removed(self, staff: StaffBrowser) -> None:
        Authenticator.objects.all().delete()
        assert staff.get(STAFF)["Location"] == "/accounts/2fa/"


class TestSession:
    @pytest.mark.parametrize("page", SITE_PAGES)
    def test_anonymous_user_is_redirected_to_login(self, client: Client, page: str) -> None:
        for ask in (client.get, client.post):
            assert ask(page)["Location"].startswith("/staff/login/?next=")

    @pytest.mark.parametrize("page", SITE_PAGES)
    def test_customer_is_redirected_to_login(self, client: Client, page: str) -> None:
        client.force_login(UserFactory())
        for ask in (client.get, client.post):
            assert ask(page)["Location"].startswith("/staff/login/?next=")

    def test_ends_after_an_idle_hour(self, staff: StaffBrowser, time_machine: TimeMachineFixture) -> None:
        time_machine.move_to(timezone.now() + timedelta(seconds=3590))
        assert staff.get(STAFF).status_code == 200
        time_machine.move_to(timezone.now() + timedelta(seconds=3610))
        assert staff.get(STAFF)["Location"].startswith("/staff/login/")
        assert "_auth_user_id" not in staff.session

    def test_ends_after_twelve_hours_of_activity(
        self, staff: StaffBrowser, time_machine: TimeMachineFixture
    ) -> None:
        for _ in range(12):
            assert staff.get(STAFF).status_code == 200
            time_machine.move_to(timezone.now() + timedelta(minutes=59))
        assert staff.get(STAFF).status_code == 200
        time_machine.move_to(timezone.now() + timedelta(minutes=13))
        assert staff.get(STAFF)["Location"].startswith("/staff/login/")
        assert "_auth_user_id" not in staff.session

    def test_remember_me_does_not_extend_it(
        self, client: Client, superuser: User, time_machine: TimeMachineFixture
    ) -> None:
        """The same user signed in to the portal hours ago, for two weeks."""
        give_second_step(superuser)
        log_in(client)
        time_machine.move_to(timezone.now() + timedelta(hours=2))
        assert client.get("/accounts/2fa/").status_code == 200
        assert client.get(STAFF)["Location"].startswith("/staff/login/")

    def test_without_recorded_authentication_opens_nothing(self, client: Client) -> None:
        client.force_login(make_staff(is_superuser=True))
        assert client.get(STAFF)["Location"].startswith("/staff/login/")

    @pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
    def test_ends_at_once_when_staff_access_is_removed(
        self, staff: StaffBrowser, change: dict[str, bool]
    ) -> None:
        assert staff.get("/staff/customers/user/").status_code == 200
        User.objects.filter(pk=staff.user.pk).update(**change)
        for ask in (staff.get, staff.post):
            assert ask("/staff/customers/user/")["Location"].startswith("/staff/login/")


class TestChange:
    def change(self, acme: Customer) -> str:
        return reverse("admin:customers_customer_change", args=[acme.pk])

    def fill(self, acme: Customer, name: str) -> dict[str, Any]:
        empty = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 0}
        return {"name": name, "email": acme.email} | {f"memberships-{k}": v for k, v in empty.items()}

    @pytest.mark.parametrize("kind", ["change", "add", "delete"])
    def test_page_requires_reauthentication(self, staff: StaffBrowser, acme: Customer, kind: str) -> None:
        show_two_steps(staff, seconds_ago=900)
        limit = reverse("admin:customers_ratelimit_add")
        page = {"change": self.change(acme), "add": limit, "delete": self.make_group()}[kind]
        assert staff.get(page)["Location"].startswith(f"{AGAIN}?next=%2Fstaff%2F")
        show_two_steps(staff, seconds_ago=60)
        assert staff.get(page).status_code == 200

    def make_group(self) -> str:
        from django.contrib.auth.models import Group

        return reverse("admin:auth_group_delete", args=[Group.objects.create(name="g").pk])

    def test_late_submission_requires_reauthentication_and_is_resumed(
        self, staff: StaffBrowser, acme: Customer
    ) -> None:
        show_two_steps(staff, seconds_ago=900)
        page = f"{self.change(acme)}?_changelist_filters=q%3Dx"
        answer = staff.post(page, self.fill(acme, "New name"))
        assert answer["Location"].startswith(AGAIN)
        assert Customer.objects.get().name == "Acme"
        done = staff.post(answer["Location"], {"code": compute_code()})
        assert done["Location"] == reverse("admin:customers_customer_changelist") + "?q=x"
        assert Customer.objects.get().name == "New name"

    def test_action_requires_reauthentication(self, staff: StaffBrowser, acme: Customer) -> None:
        show_two_steps(staff, seconds_ago=900)
        sent = {"action": "block", "_selected_action": [str(acme.pk)]}
        page = reverse("admin:customers_customer_changelist")
        assert staff.post(page, sent)["Location"].startswith(AGAIN)
        assert Customer.objects.get().blocked_at is None

    def test_view_permission_needs_no_reauthentication(self, onlooker: StaffBrowser, acme: Customer) -> None:
        show_two_steps(onlooker, seconds_ago=900)
        assert onlooker.get(self.change(acme)).status_code == 200


class TestSite:
    def test_redirects_password_changes_to_the_portal(self, staff: StaffBrowser) -> None:
        answer = staff.post("/staff/password_change/", {"new_password1": "x"})
        assert answer["Location"] == "/accounts/password/change/"

    def test_finds_pages_by_name(self, staff: StaffBrowser) -> None:
        for extended in ("", "&extended=1"):
            assert "/staff/customers/customer/" in staff.get(f"/staff/search/?s=custom{extended}").text

    def test_accepts_an_invalid_page_number(self, staff: StaffBrowser) -> None:
        assert staff.get("/staff/search/?s=a&page=x").status_code == 200

    def test_rejects_nul_characters(self, staff: StaffBrowser) -> None:
        assert staff.get("/staff/customers/user/?q=%00").status_code == 400
        assert staff.get("/staff/customers/user/%00/change/").status_code == 400

    def test_logs_out(self) -> None:
        browser = open_staff_browser(make_staff())
        browser.post("/staff/logout/")
        assert "_auth_user_id" not in browser.session
