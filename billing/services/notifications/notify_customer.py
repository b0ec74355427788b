"""A customer is told something about their money, once."""

from datetime import datetime
from typing import Any

from billing.models import Notification
from core import outbox
from customers.models import Customer


def notify_customer(
    *, customer: Customer, kind: Notification.Kind, reference: str, data: dict[str, Any], at: datetime
) -> bool:
    """Note what the customer is to be told, and ask for its mail on commit; False where they were told.

    Belongs into the transaction of what it tells. Safe to race and to repeat.
    """
    notification = Notification(
        customer=customer, kind=kind, reference=reference, data=data, created_at=at, next_attempt_at=at
    )
    Notification.objects.bulk_create([notification], ignore_conflicts=True)
    if not Notification.objects.filter(pk=notification.pk).exists():
        return False
    outbox.enqueue(notification)
    return True
