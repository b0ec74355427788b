from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from billing.plans import PLANS
from customers.models import ApiKey, Customer, Membership
from customers.services.manage_keys import create_api_key
from rsolv.portal.projection import Projection, project_period
from tests.browsers import Browser
from tests.factories import CustomerFactory, make_mitigation_of
from tests.rsolv.portal.markup import Page, read_page
from tests.rsolv.portal.test_dashboard import open_dashboard, set_account

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)


def set_last_visit(browser: Browser, ago: timedelta) -> None:
    Membership.objects.filter(customer=browser.customer).update(last_seen_at=timezone.now() - ago)


def read_links(page: Page) -> dict[str, str]:
    return {a.words: a.attrs["href"] for a in page.find_all("a")}


class TestSinceLastVisit:
    def test_is_hidden_on_the_first_visit(self, alice: Browser) -> None:
        assert "Since you were here" not in open_dashboard(alice).find("main").words

    def test_counts_new_fixes_with_links(self, alice: Browser) -> None:
        set_last_visit(alice, timedelta(days=2))
        make_mitigation_of(alice.customer)
        make_mitigation_of(alice.customer, outcome="failed")
        make_mitigation_of(alice.customer, created_at=timezone.now() - timedelta(days=3))
        links = read_links(open_dashboard(alice))
        assert links["1 fixed"] == "/dashboard/fixes/?phase=mitigation&state=succeeded"
        assert links["1 failed"] == "/dashboard/fixes/?phase=mitigation&state=failed"

    def test_stays_the_same_throughout_a_visit(self, alice: Browser) -> None:
        set_last_visit(alice, timedelta(days=2))
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

    def test_ignore_revoked_expired_rotated_and_foreign_keys(self, alice: Browser) -> None:
        soon = timezone.now() + timedelta(days=3)
        keys = [create_api_key(customer=alice.customer, name="CI", expires_at=soon).api_key for _ in range(3)]
        ApiKey.objects.filter(pk=keys[0].pk).update(revoked_at=timezone.now())
        ApiKey.objects.filter(pk=keys[1].pk).update(expires_at=timezone.now() - timedelta(days=1))
        ApiKey.objects.filter(pk=keys[2].pk).update(
            replaced_by=create_api_key(customer=alice.customer, name="new").api_key
        )
        create_api_key(customer=CustomerFactory(), name="CI", expires_at=soon)
        assert "within two weeks" not in open_dashboard(alice).find("main").words


class TestKeys:
    def test_active_keys_come_before_newer_inactive_keys(self, alice: Browser) -> None:
        create_api_key(customer=alice.customer, name="old and good")
        for _ in range(6):
            create_api_key(customer=alice.customer, name="CI")
        ApiKey.objects.filter(name="CI").update(revoked_at=timezone.now())
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
        Customer.objects.filter(pk=alice.customer.pk).update(setup_hidden_at=timezone.now())
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
