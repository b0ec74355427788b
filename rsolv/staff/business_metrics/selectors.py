"""What the figures are made from, read across all customers. For a nightly task, not for a request."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery
from djstripe.models import Invoice, Subscription

from billing.models import BillingAccount
from billing.plans import find_plan_by_product
from customers.models import Customer
from phases.models import PhaseExecution
from rsolv.staff.business_metrics.formulas import Subscribed
from rsolv.staff.business_metrics.models import DailyFigures

Status = BillingAccount.Status
RUNNING = (Status.PENDING, Status.ACTIVE, Status.PAST_DUE)
# Stripe's words for a subscription that was never paid for.
NEVER_PAID = ("incomplete", "incomplete_expired")


def get_latest_figures() -> DailyFigures | None:
    return DailyFigures.objects.first()


def list_signups(*, since: datetime) -> dict[UUID, datetime]:
    """When each customer signed up, of those since an instant."""
    return dict(Customer.objects.filter(created_at__gt=since).values_list("pk", "created_at"))


def list_first_scans(*, since: datetime) -> dict[UUID, datetime]:
    """When each customer that signed up since an instant stored its first scan, where it has."""
    scans = PhaseExecution.objects.filter(customer=OuterRef("pk"), phase=PhaseExecution.Phase.SCAN)
    first = Subquery(scans.order_by("created_at").values("created_at")[:1])
    rows = Customer.objects.filter(created_at__gt=since).annotate(first_scan_at=first)
    return dict(rows.exclude(first_scan_at=None).values_list("pk", "first_scan_at"))


def list_stretches() -> list[Subscribed]:
    """Every stretch in which a customer had a plan of ours, as Stripe tells it."""
    return [
        Subscribed(customer_id, _read_instant(data["created"]), _read_end(data))
        for customer_id, data in _iterate_subscriptions()
    ]


def sum_recurring_cents() -> int:
    """What running subscriptions cost a month apart from their fixes, in US cents."""
    return sum(
        item["price"]["unit_amount"] * item.get("quantity", 1)
        for _, data in _iterate_subscriptions()
        if data["status"] in ("active", "past_due")
        for item in data["items"]["data"]
        if item["price"]["recurring"]["usage_type"] == "licensed"
    )


def sum_collected_cents(*, since: datetime) -> int:
    """What was paid on invoices since an instant, in US cents, refunds not taken off."""
    paid = Invoice.objects.filter(
        customer__subscriber__isnull=False,
        stripe_data__status="paid",
        stripe_data__status_transitions__paid_at__gte=int(since.timestamp()),
    )
    return sum(paid.values_list("stripe_data__amount_paid", flat=True).iterator())


def count_accounts() -> dict[str, int]:
    """How many accounts are on which plan, with what trouble."""
    running, plan = Q(status__in=RUNNING), BillingAccount.Plan
    paid = BillingAccount.objects.aggregate(
        on_payg=Count("pk", filter=running & Q(plan=plan.PAYG)),
        on_teams=Count("pk", filter=running & Q(plan=plan.TEAMS)),
        payment_failed=Count("pk", filter=Q(status=Status.PAST_DUE)),
    )
    with_plan = Q(billing_account__status__in=RUNNING)
    return {"on_trial": Customer.objects.filter(closed_at=None).exclude(with_plan).count(), **paid}


def _iterate_subscriptions() -> Iterator[tuple[UUID, dict[str, Any]]]:
    rows = Subscription.objects.filter(customer__subscriber__isnull=False)
    for customer_id, data in rows.values_list("customer__subscriber_id", "stripe_data").iterator():
        products = {_read_product(item) for item in data["items"]["data"]}
        if data["status"] not in NEVER_PAID and find_plan_by_product(products) is not None:
            yield customer_id, data


def _read_product(item: dict[str, Any]) -> str:
    product = item["price"]["product"]
    return str(product if isinstance(product, str) else product["id"])


def _read_end(data: dict[str, Any]) -> datetime | None:
    return _read_instant(data["ended_at"]) if data.get("ended_at") else None


def _read_instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
