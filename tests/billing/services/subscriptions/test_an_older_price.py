from dataclasses import replace

import pytest
from django.utils import timezone

from billing.models import Notification
from billing.plans import PAYG, PLANS, TEAMS
from billing.selectors.entitlements import get_entitlement
from billing.selectors.explained_invoice import explain_invoice
from billing.selectors.invoices import list_invoices
from billing.services.metering.set_spend_cap import set_spend_cap
from billing.services.notifications.send_notification import send_notification
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.change_plan import change_plan, preview_change
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.prices import sync_plans
from tests.billing.ledger import record_fixes, report_fixes


@pytest.fixture(params=["payg_fix", "payg_fix_2027"])
def risen(request, billing_env, customer, monkeypatch):
    """Raise the price of a fix after the customer subscribed, under the same lookup key or a new one."""
    billing_env.deliver()
    newer = replace(PAYG, unit_price_cents=2000, fix_price=request.param)
    monkeypatch.setitem(PLANS, "payg", newer)
    sync_plans()


def change(billing_env, customer, plan):
    token = preview_change(customer=customer, plan=plan, at=billing_env.now()).token
    change_plan(customer=customer, plan=plan, preview_token=token)


class TestSubscriptionAtOlderPrice:
    def test_is_synced_past_its_period_end(self, billing_env, customer, risen):
        before = billing_env.account(customer).current_period_end
        billing_env.close_month()
        assert billing_env.account(customer).current_period_end > before

    def test_records_fixes_at_the_price_that_bills_them(self, billing_env, customer, risen):
        assert record_fixes(customer, 1)[0].usage.unit_price_cents == 1500

    def test_is_shown_and_capped_at_its_own_price(self, billing_env, customer, risen):
        set_spend_cap(customer=customer, cap_cents=3000, at=timezone.now())
        billing_env.close_month()
        report_fixes(customer, 1)
        found = get_entitlement(customer=customer)
        assert (found.unit_price_cents, found.period_cents, found.blocked_reason) == (1500, 1500, None)
        report_fixes(customer, 1)
        found = get_entitlement(customer=customer)
        assert (found.period_cents, found.blocked_reason) == (3000, "spend_cap_reached")

    def test_has_only_current_prices_after_a_change(self, billing_env, customer, risen):
        change(billing_env, customer, TEAMS)
        billing_env.stripe.control.advance(60)
        report_fixes(customer, 3)
        billing_env.pass_time(days=2)
        billing_env.close_month()
        items = billing_env.stripe.control.objects("subscription")[0]["items"]["data"]
        assert sorted(item["price"]["lookup_key"] for item in items) == ["teams_fix", "teams_month"]
        assert {each["total"] for each in billing_env.stripe.control.objects("invoice")} == {49900}


class TestOlderTeamsPlan:
    """The customer's plan: $499 with 60 fixes. Sold today: $600 with 2 fixes, each further one $10."""

    @pytest.fixture
    def plan(self):
        return "teams"

    @pytest.fixture(autouse=True)
    def new_terms(self, billing_env, customer, monkeypatch):
        billing_env.deliver()
        newer = replace(TEAMS, monthly_price_cents=60000, included=2, unit_price_cents=1000)
        monkeypatch.setitem(PLANS, "teams", newer)
        sync_plans()

    def test_keeps_its_included_fixes(self, billing_env, customer):
        report_fixes(customer, 3)
        found = get_entitlement(customer=customer)
        assert (found.included, found.remaining, found.period_cents) == (60, 57, 49900)

    def test_has_an_invoice_that_agrees_with_it(self, billing_env, customer):
        report_fixes(customer, 3)
        billing_env.pass_time(days=2)
        billing_env.close_month()
        newest = list_invoices(customer=customer, limit=1)[0]
        explained = explain_invoice(customer=customer, invoice_id=newest.number)
        assert (newest.total_cents, explained.agrees, explained.is_all_ours) == (49900, True, True)

    def test_is_notified_with_its_own_price(self, billing_env, customer, mailoutbox):
        with billing_env.run_tasks():
            record_fixes(customer, 30)
        assert "Each fix beyond them costs $8." in mailoutbox[-1].body

    def test_gets_current_terms_when_chosen_again(self, billing_env, customer):
        cancel_plan(customer=customer)
        billing_env.subscribe("teams", customer=customer)
        found = get_entitlement(customer=customer)
        assert (found.included, found.unit_price_cents, found.period_cents) == (2, 1000, 60000)


class TestPlanChange:
    def test_is_notified_with_the_price_of_its_time(self, billing_env, customer, mailoutbox, monkeypatch):
        change(billing_env, customer, TEAMS)
        notification = Notification.objects.get(kind="plan_changed")
        monkeypatch.setitem(PLANS, "teams", replace(TEAMS, monthly_price_cents=60000, included=2))
        send_notification(notification_id=notification.pk)
        assert "It costs $499 a month with 60 fixes; each beyond them $8." in mailoutbox[-1].body


class TestForeignSubscription:
    def subscribe(self, billing_env, customer):
        client = get_client().v1
        product = client.products.create({"name": "Consulting"})
        monthly = {"currency": "usd", "unit_amount": 100, "recurring": {"interval": "month"}}
        price = client.prices.create({"product": product.id, **monthly})
        billing_env.stripe.control.advance(5)
        client.subscriptions.create(
            {"customer": billing_env.account(customer).stripe_customer_id, "items": [{"price": price.id}]}
        )
        billing_env.deliver()

    def test_is_ignored(self, billing_env, customer):
        account = billing_env.account(customer)
        self.subscribe(billing_env, customer)
        assert billing_env.account(customer).subscription_id == account.subscription_id
        get_client().v1.subscriptions.cancel(account.subscription_id)
        billing_env.deliver()
        assert billing_env.account(customer).status == "canceled"
