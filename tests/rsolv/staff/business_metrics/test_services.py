from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.services.subscriptions.cancel_plan import cancel_plan
from phases.models import PhaseExecution
from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.services import take_business_metrics
from tests.billing.billing_env import BillingEnv
from tests.factories import CustomerFactory, make_mitigation_of


@pytest.mark.django_db
class TestTakeFigures:
    def test_takes_the_day_anew_when_repeated(self) -> None:
        now = timezone.now()
        take_business_metrics(at=now)
        CustomerFactory()
        take_business_metrics(at=now)
        assert DailyBusinessMetrics.objects.get().signups == 1

    def test_counts_who_scanned_within_a_week(self) -> None:
        signed_up = timezone.now() - timedelta(days=10)
        CustomerFactory(created_at=signed_up)
        make_mitigation_of(
            CustomerFactory(created_at=signed_up),
            phase=PhaseExecution.Phase.SCAN,
            issue_number=None,
            created_at=signed_up + timedelta(hours=2),
        )
        figures = take_business_metrics(at=timezone.now())
        assert (figures.activated, figures.activatable) == (1, 2)
        assert figures.first_scan_median_seconds == 7200

    def test_counts_closed_accounts_as_signups_and_not_as_trials(self) -> None:
        CustomerFactory(closed_at=timezone.now())
        figures = take_business_metrics(at=timezone.now())
        assert (figures.signups, figures.on_trial) == (1, 0)


class TestMoney:
    def test_recurs_by_the_price_that_the_plan_was_sold_at(self, billing_env: BillingEnv) -> None:
        billing_env.subscribe("teams")
        billing_env.subscribe("payg")
        figures = take_business_metrics(at=billing_env.now())
        assert (figures.on_teams, figures.on_payg, figures.on_trial) == (1, 1, 0)
        assert figures.recurring_cents == 49900

    def test_is_collected_when_an_invoice_is_paid(self, billing_env: BillingEnv) -> None:
        billing_env.subscribe("teams")
        billing_env.deliver()
        assert take_business_metrics(at=billing_env.now()).collected_cents == 49900

    def test_is_no_longer_collected_a_month_later(self, billing_env: BillingEnv) -> None:
        billing_env.subscribe("teams")
        billing_env.deliver()
        assert take_business_metrics(at=billing_env.now() + timedelta(days=31)).collected_cents == 0


class TestPlans:
    def test_are_lost_when_they_end(self, billing_env: BillingEnv, settings: Any) -> None:
        settings.METER_SETTLE_SECONDS = 0
        customer = billing_env.subscribe("payg")
        billing_env.deliver()
        billing_env.stripe.control.advance(days=20)
        cancel_plan(customer=customer)
        billing_env.deliver()
        billing_env.stripe.control.advance(days=15)
        figures = take_business_metrics(at=billing_env.now())
        assert (figures.churned, figures.churnable) == (1, 1)
        assert (figures.on_payg, figures.on_trial) == (0, 1)
