"""Inputs of the business metrics, read across all customers. For a nightly task, not for a request."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery

from billing.models import BillingAccount
from billing.stripe_gateway.mirrored import iterate_subscriptions
from billing.stripe_gateway.snapshots import SubscriptionSnapshot
from customers.models import Customer
from phases.models import PhaseExecution
from rsolv.staff.business_metrics.formulas import Subscribed
from rsolv.staff.business_metrics.models import DailyBusinessMetrics

Status = BillingAccount.Status
RUNNING = (Status.PENDING, Status.ACTIVE, Status.PAST_DUE)
# Stripe's statuses of a subscription whose first payment never succeeded.
NEVER_PAID = ("incomplete", "incomplete_expired")


def get_latest_business_metrics() -> DailyBusinessMetrics | None:
    return DailyBusinessMetrics.objects.first()


def list_signups(*, since: datetime) -> dict[UUID, datetime]:
    """Return the signup times of the customers who signed up after `since`, by customer id."""
    return dict(Customer.objects.filter(created_at__gt=since).values_list("pk", "created_at"))


def list_first_scans(*, since: datetime) -> dict[UUID, datetime]:
    """Return the times of the first scans of customers who signed up after `since`, by customer id."""
    scans = PhaseExecution.objects.filter(customer=OuterRef("pk"), phase=PhaseExecution.Phase.SCAN)
    first = Subquery(scans.order_by("created_at").values("created_at")[:1])
    rows = Customer.objects.filter(created_at__gt=since).annotate(first_scan_at=first)
    return dict(rows.exclude(first_scan_at=None).values_list("pk", "first_scan_at"))


def list_subscribed_periods() -> list[Subscribed]:
    """Return every period in which a customer had one of our plans, from the mirrored subscriptions."""
    return [
        Subscribed(customer_id, each.created_at, each.ended_at)
        for customer_id, each in _iterate_subscriptions()
    ]


def sum_recurring_cents() -> int:
    """Return the monthly base price of all running subscriptions, in US cents, without fixes."""
    running = (each for _, each in _iterate_subscriptions() if each.status in ("active", "past_due"))
    return sum(each.monthly_cents for each in running)


def count_accounts() -> dict[str, int]:
    """Count the accounts on each plan, and those with a failed payment."""
    running, plan = Q(status__in=RUNNING), BillingAccount.Plan
    paid = BillingAccount.objects.aggregate(
        on_payg=Count("pk", filter=running & Q(plan=plan.PAYG)),
        on_teams=Count("pk", filter=running & Q(plan=plan.TEAMS)),
        payment_failed=Count("pk", filter=Q(status=Status.PAST_DUE)),
    )
    with_plan = Q(billing_account__status__in=RUNNING)
    return {"on_trial": Customer.objects.filter(closed_at=None).exclude(with_plan).count(), **paid}


def _iterate_subscriptions() -> Iterator[tuple[UUID, SubscriptionSnapshot]]:
    for customer_id, each in iterate_subscriptions():
        if each.status not in NEVER_PAID and each.plan is not None:
            yield customer_id, each
