"""Notify a customer about billing, once."""

from datetime import datetime
from typing import Any

from billing.models import Notification
from core.outbox.sweep import enqueue
from customers.models import Customer


def notify_customer(
    *, customer: Customer, kind: Notification.Kind, reference: str, data: dict[str, Any], at: datetime
) -> bool:
    """Create a notification and enqueue its mail on commit. Return False if it was created before.

    Call inside the transaction that makes the change it reports. Safe to repeat and to run concurrently: a
    customer has one notification of a kind and reference.
    """
    notification = Notification(
        customer=customer, kind=kind, reference=reference, data=data, created_at=at, next_attempt_at=at
    )
    # An IntegrityError would abort the caller's transaction. Django does
    # not say whether it inserted the row, so the new id is looked up.
    Notification.objects.bulk_create([notification], ignore_conflicts=True)
    if not Notification.objects.filter(pk=notification.pk).exists():
        return False
    enqueue(notification)
    return True
