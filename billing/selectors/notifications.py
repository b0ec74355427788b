"""The notifications that a customer received about billing."""

from datetime import datetime

from billing.models import Notification
from customers.models import Customer


def list_notifications(*, customer: Customer, since: datetime, limit: int) -> list[Notification]:
    """Return the notifications created at or after `since`, newest first."""
    return list(Notification.objects.filter(customer=customer, created_at__gte=since)[:limit])
