from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from time_machine import TimeMachineFixture

from billing.plans import PLANS
from customers.models import Customer, Membership
from customers.services.manage_keys import create_api_key, revoke_api_key, rotate_api_key
from rsolv.portal.projection import Projection, project_period
from tests.factories import make_mitigation_of
from tests.rsolv.portal.markup import Page, read_page
from tests.rsolv.portal.test_dashboard import open_dashboard, set_account
from tests.tenants import Browser

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)


def pass_time(time_machine: TimeMachineFixture, **delta: float) -> None:
    time_machine.move_to(timezone.now() + timedelta(**delta))


def read_links(page: Page) -> dict[str, str]:
    return {a.words: a.attrs["href"] for a in page.find_all("a")}


class TestSinceLastVisit:
    def test_is_hidden_on_the_first_visit(self, alice: Browser) -> None:
        assert "Since you were here" not in open_dashboard(alice).find("main").words

    def test_counts_new_fixes_with_links(self, alice: Browser, time_machine: TimeMachineFixture) -> None:
        make_mitigation_of(alice.customer)
        pass_time(time_machine, days=1)
        open_dashboard(alice)
        pass_time(time_machine, days=2)
        make_mitigation_of(alice.customer)
        make_mitigation_of(alice.customer, outcome="failed")
        links = read_links(open_dashboard(alice))
        assert links["1 fixed"] == "/dashboard/fixes/?phase=mitigation&state=succeeded"
        assert links["1 failed"] == "/dashboard/fixes/?phase=mitigation&state=failed"

    def test_stays_the_same_throughout_a_visit(
        self, alice: Browser, time_machine: TimeMachineFixture
    ) -> None:
        open_dashboard(alice)
        pass_time(time_machine, days=2)
        for _ in range(2):
            assert "Since you were here 2 days ago" in open_dashboard(alice).find("main").words

    def test_visit_is_recorded(self, alice: Browser) -> None:
        open_dashboard(alice)
        seen = Membership.objects.get(customer=alice.customer).last_seen_at
        assert seen is not None
        assert timezone.now() - seen < timedelta(minutes=1)


class TestAlerts:
    def test_count_failed_and_unverified_fixes(self, alice: Browser) -> None:
        for outcome in ("failed", "unverified", "unverified"):
            make_mitigation_of(alice.customer, outcome=outcome)
        text = open_dashboard(alice).find("main").words
        assert "2 fixes of the last two weeks are not verified" in text
        assert "1 fix of the last two weeks failed." in text

    def test_name_an_expiring_key(self, alice: Browser) -> None:
        soon = timezone.now() + timedelta(days=3)
        create_api_key(customer=alice.customer, name="CI", expires_at=soon)
        assert "The API key CI expires within two weeks." in read_links(open_dashboard(alice))

    def test_name_expiring_keys_older_than_those_listed(self, alice: Browser) -> None:
        soon = timezone.now() + timedelta(days=3)
        for name in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh"):
            create_api_key(customer=alice.customer, name=name, expires_at=soon)
            soon += timedelta(hours=1)
        for _ in range(6):
            create_api_key(customer=alice.customer, name="CI")
        links = read_links(open_dashboard(alice))
        assert "The API key first expires within two weeks." in links
        assert "2 more API keys expire within two weeks." in links
        assert "The API key sixth expires within two weeks." not in links

    def test_ignore_revoked_expired_rotated_and_foreign_keys(
        self, alice: Browser, stranger: Customer, time_machine: TimeMachineFixture
    ) -> None:
        now, soon = timezone.now(), timezone.now() + timedelta(days=3)
        create_api_key(customer=alice.customer, name="expired", expires_at=now + timedelta(hours=1))
        revoked, rotated = (
            create_api_key(customer=alice.customer, name="CI", expires_at=soon).api_key for _ in range(2)
        )
        create_api_key(customer=stranger, name="CI", expires_at=soon)
        revoke_api_key(api_key=revoked, at=now)
        rotate_api_key(api_key=rotated, overlap=timedelta(days=3), by=alice.membership.user, at=now)
        pass_time(time_machine, days=1)
        assert "within two weeks" not in open_dashboard(alice).find("main").words


class TestKeys:
    def test_active_keys_come_before_newer_inactive_keys(self, alice: Browser) -> None:
        create_api_key(customer=alice.customer, name="old and good")
        for _ in range(6):
            revoke_api_key(
                api_key=create_api_key(customer=alice.customer, name="CI").api_key, at=timezone.now()
            )
        page = open_dashboard(alice)
        assert "old and good" in page.find("main").words
        assert read_links(page)["All API keys"] == "/dashboard/keys/"


class TestSetupSteps:
    def read(self, browser: Browser) -> str:
        page = open_dashboard(browser)
        return next(e for e in page.find_all("ol")).words if page.get("setup") else ""

    def test_are_marked_as_done(self, alice: Browser) -> None:
        create_api_key(customer=alice.customer, name="CI")
        assert self.read(alice).count("Done") == 0  # created, not yet used
        make_mitigation_of(alice.customer, phase="scan", issue_number=None)
        assert self.read(alice).count("Done") == 3

    def test_are_hidden_on_request(self, alice: Browser) -> None:
        alice.post("/dashboard/setup/hide/", {"hidden": "yes"})
        assert self.read(alice) == ""


class TestProjection:
    def project(
        self, *, plan: str = "teams", used: int, days: float, cap: int | None = None
    ) -> Projection | None:
        now = START + timedelta(days=days)
        return project_period(plan=PLANS[plan], used=used, start=START, end=END, now=now, cap_cents=cap)

    def test_extrapolates_the_current_pace(self) -> None:
        assert self.project(used=40, days=15) == Projection(80, 49900 + 20 * 800, is_capped=False)

    def test_stops_at_the_cap(self) -> None:
        assert self.project(plan="payg", used=5, days=15, cap=10_000) == Projection(6, 9000, is_capped=True)

    def test_never_falls_below_current_usage(self) -> None:
        assert self.project(plan="payg", used=9, days=15, cap=100) == Projection(9, 13500, is_capped=True)

    @pytest.mark.parametrize("days", [-1, 0, 0.9, 30, 31])
    def test_is_none_early_and_late_in_the_period(self, days: float) -> None:
        assert self.project(used=40, days=days) is None

    def test_is_none_for_a_trial(self) -> None:
        assert self.project(plan="trial", used=4, days=15) is None

    def test_is_shown_with_the_cost(self, alice: Browser) -> None:
        now = timezone.now()
        start, end = now - timedelta(days=15), now + timedelta(days=15)
        set_account(
            alice.customer, plan="teams", status="active", current_period_start=start, current_period_end=end
        )
        text = read_page(alice.get("/dashboard/").text).find("dl").words
        assert "At this pace $499.00 with 0 fixes at the period's end" in text
