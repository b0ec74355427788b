from datetime import UTC, datetime, timedelta

from django.utils import timezone

from billing.models import BillingAccount, Notification
from tests.billing.billing_env import BillingEnv
from tests.tenants import Browser

from .conftest import count_queries, make_fix, open_page

BILLING = "/dashboard/billing/"


def read(browser: Browser) -> str:
    return open_page(browser, BILLING).find("main").words


def give(browser: Browser, reference: str, **fields: object) -> None:
    fields = {"kind": "cap", "data": {"percent": 80, "cap_cents": 100000, "spent_cents": 80000}} | fields
    Notification.objects.create(customer=browser.customer, reference=reference, **fields)


class TestOverview:
    def test_of_a_trial_offers_plans(self, alice: Browser) -> None:
        page = open_page(alice, BILLING)
        assert "10 fixes free, no card" in page.find("main").words
        assert "/dashboard/billing/plans/" in {a.attrs["href"] for a in page.find_all("a")}

    def test_of_a_plan_has_its_period_usage_and_cost(self, paying: Browser, billing_env: BillingEnv) -> None:
        make_fix(billing_env, paying.customer)
        text = read(paying)
        assert "Teams Active" in text
        assert "1 of 60 59 left" in text
        assert "$499.00" in text
        assert "Renews" in text

    def test_of_a_plan_that_ends_says_when_and_offers_to_keep_it(self, paying: Browser) -> None:
        ends_at = datetime(2031, 3, 7, tzinfo=UTC)
        BillingAccount.objects.update(cancel_at=ends_at)
        page = open_page(paying, BILLING)
        assert "Until 7 Mar 2031 nothing changes" in page.find("main").words
        assert "/dashboard/billing/change/" not in {a.attrs["href"] for a in page.find_all("a")}
        assert "/dashboard/billing/resume/" in {form.attrs.get("action") for form in page.find_all("form")}

    def test_of_a_failed_payment_leads_to_the_open_invoice(
        self, paying: Browser, billing_env: BillingEnv
    ) -> None:
        method = billing_env.stripe.control.objects("payment_method")[0]["id"]
        billing_env.stripe.control.set_card(method, "insufficient_funds")
        billing_env.close_month()
        page = open_page(paying, BILLING)
        assert "Your last payment failed" in page.find("main").words
        assert any(a.words.startswith("Pay invoice") for a in page.find_all("a"))

    def test_says_how_far_the_cap_is_used(self, paying: Browser) -> None:
        BillingAccount.objects.update(spend_cap_cents=100000)
        assert "$499.00 of $1,000 in this period" in read(paying)

    def test_a_reached_cap_is_explained(self, paying: Browser, billing_env: BillingEnv) -> None:
        BillingAccount.objects.update(plan="payg", unit_price_cents=None, spend_cap_cents=1000)
        page = open_page(paying, BILLING)
        assert "Your spend cap of $10 is reached" in page.find("main").words

    def test_shows_notifications_of_this_period_and_customer(self, alice: Browser, mallory: Browser) -> None:
        give(alice, "now")
        give(alice, "old", data={"percent": 50}, created_at=timezone.now() - timedelta(days=60))
        assert "80% of your spend cap is used" in read(alice)
        assert "50% of your spend cap" not in read(alice)
        assert "80% of your spend cap" not in read(mallory)

    def test_a_notice_without_sense_costs_no_page(self, alice: Browser) -> None:
        give(alice, "odd", kind="payment_failed", data={"grace_ends_at": "soon"})
        assert "Payment failed" in read(alice)

    def test_makes_no_stripe_call(self, paying: Browser, billing_env: BillingEnv) -> None:
        before = len(billing_env.stripe.control.requests())
        read(paying)
        assert len(billing_env.stripe.control.requests()) == before

    def test_queries_are_as_many_for_ten_notifications_as_for_one(self, alice: Browser) -> None:
        give(alice, "first")
        for_one = count_queries(alice, BILLING)
        for number in range(9):
            give(alice, str(number))
        assert count_queries(alice, BILLING) == for_one


class TestStripePortal:
    def test_is_opened_by_a_post(self, paying: Browser) -> None:
        response = paying.post("/dashboard/billing/portal/")
        assert response.status_code == 303
        assert "/p/session/" in response.headers["Location"] or "portal" in response.headers["Location"]
        assert paying.get("/dashboard/billing/portal/").status_code == 405

    def test_without_anything_there_the_overview_says_so(self, alice: Browser) -> None:
        response = alice.post("/dashboard/billing/portal/", follow=True)
        assert "no cards or invoices yet" in response.text

    def test_an_outage_is_shown_with_the_request_id(self, paying: Browser, billing_env: BillingEnv) -> None:
        billing_env.stripe.control.add_fault("status", path="/v1/billing_portal/*", status=500, times=None)
        response = paying.post("/dashboard/billing/portal/", headers={"X-Request-Id": "req_0123456789"})
        assert response.status_code == 503
        assert "nothing is charged or changed twice" in response.text
        assert "req_0123456789" in response.text
        assert response.headers["Retry-After"]
