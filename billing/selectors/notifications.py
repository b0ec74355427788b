"""What a customer was told about their money."""

from datetime import datetime

from billing.models import Notification
from customers.models import Customer


def list_notifications(*, customer: Customer, since: datetime, limit: int) -> list[Notification]:
    """Notices from an instant on, newest first."""
    return list(Notification.objects.filter(customer=customer, created_at__gte=since)[:limit])
