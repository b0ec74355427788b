from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.plans import TEAMS
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.subscriptions import sync_live_subscriptions
from phases.models import PhaseExecution
from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.services import take_business_metrics
from tests.billing.billing_env import BillingEnv
from tests.factories import CustomerFactory, make_mitigation_of


@pytest.mark.django_db
class TestTakeBusinessMetrics:
    def test_repetition_updates_the_day(self) -> None:
        now = timezone.now()
        take_business_metrics(at=now)
        CustomerFactory()
        take_business_metrics(at=now)
        assert DailyBusinessMetrics.objects.get().signups == 1

    def test_counts_customers_who_scanned_within_a_week(self) -> None:
        signed_up = timezone.now() - timedelta(days=10)
        CustomerFactory(created_at=signed_up)
        make_mitigation_of(
            CustomerFactory(created_at=signed_up),
            phase=PhaseExecution.Phase.SCAN,
            issue_number=None,
            created_at=signed_up + timedelta(hours=2),
        )
        metrics = take_business_metrics(at=timezone.now())
        assert (metrics.activated, metrics.activatable) == (1, 2)
        assert metrics.first_scan_median_seconds == 7200

    def test_counts_closed_accounts_as_signups_but_not_as_trials(self) -> None:
        CustomerFactory(closed_at=timezone.now())
        metrics = take_business_metrics(at=timezone.now())
        assert (metrics.signups, metrics.on_trial) == (1, 0)


class TestRevenue:
    def test_recurring_revenue_uses_the_price_of_the_subscription(self, billing_env: BillingEnv) -> None:
        billing_env.subscribe("teams")
        billing_env.subscribe("payg")
        metrics = take_business_metrics(at=billing_env.now())
        assert (metrics.on_teams, metrics.on_payg, metrics.on_trial) == (1, 1, 0)
        assert metrics.recurring_cents == 49900

    def test_annual_price_counts_a_twelfth_a_month(self, billing_env: BillingEnv) -> None:
        customer = billing_env.subscribe("payg")
        stripe_customer_id = billing_env.account(customer).stripe_customer_id or ""
        client: Any = get_client().v1
        fields = {"currency": "usd", "unit_amount": 480_000, "recurring": {"interval": "year"}}
        annual = client.prices.create({"product": TEAMS.product, **fields})
        client.subscriptions.create({"customer": stripe_customer_id, "items": [{"price": annual.id}]})
        sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
        assert take_business_metrics(at=billing_env.now()).recurring_cents == 40_000

    def test_paid_invoice_counts_as_collected(self, billing_env: BillingEnv) -> None:
        billing_env.subscribe("teams")
        billing_env.deliver()
        assert take_business_metrics(at=billing_env.now()).collected_cents == 49900

    def test_invoice_of_an_earlier_month_does_not_count(self, billing_env: BillingEnv) -> None:
        billing_env.subscribe("teams")
        billing_env.deliver()
        assert take_business_metrics(at=billing_env.now() + timedelta(days=31)).collected_cents == 0


class TestChurn:
    def test_counts_ended_plans(self, billing_env: BillingEnv, settings: Any) -> None:
        settings.METER_SETTLE_SECONDS = 0
        customer = billing_env.subscribe("payg")
        billing_env.deliver()
        billing_env.stripe.control.advance(days=20)
        cancel_plan(customer=customer)
        billing_env.deliver()
        billing_env.stripe.control.advance(days=15)
        metrics = take_business_metrics(at=billing_env.now())
        assert (metrics.churned, metrics.churnable) == (1, 1)
        assert (metrics.on_payg, metrics.on_trial) == (0, 1)
