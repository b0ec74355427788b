"""One row of each model that staff can view."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from billing.models import (
    Discrepancy,
    FeatureFlag,
    InboxEvent,
    Notification,
    PaymentIncident,
    Reconciliation,
    UsageClaim,
    UsageRecord,
)
from billing.services.corrections.correct_usage import correct_usage
from customers.models import Customer
from tests.factories import CustomerFactory
from tests.outbox import parked


def make_notification(customer: Customer | None = None) -> Notification:
    """Create a notification whose mail was parked."""
    given_up: dict[str, Any] = {"kind": "recovered", "reference": "r", **parked()}
    return Notification.objects.create(customer=customer or CustomerFactory(), **given_up)


def make_discrepancy(customer: Customer | None = None) -> Discrepancy:
    now = timezone.now()
    counts = {"ledger": 1, "stripe": 1, "portal": 2}
    return Discrepancy.objects.create(
        found_in=Reconciliation.objects.create(),
        customer=customer or CustomerFactory(),
        kind="portal",
        period_start=now,
        period_end=now + timedelta(days=30),
        **counts,
    )


def make_each(usage: UsageRecord) -> None:
    """Create a corrected fix, and a row of each model for its customer."""
    now, customer = timezone.now(), usage.customer
    issue = {"repository": usage.repository, "issue_number": usage.issue_number}
    UsageClaim.objects.create(customer=customer, expires_at=now, **issue)
    kind: Any = "credit"
    correct_usage(usage=usage, kind=kind, reason="Slow.", made_by=None, at=now)
    make_notification(customer)
    make_discrepancy(customer)
    FeatureFlag.objects.create(name="billing_enabled")
    PaymentIncident.objects.create(
        stripe_id="re_1", kind="refund", customer=customer, amount_cents=1500, currency="usd", occurred_at=now
    )
    InboxEvent.objects.create(event_id="evt_1", event_type="invoice.paid", payload="{}")
