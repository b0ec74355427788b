"""What a customer was told about their money."""

from datetime import datetime

from billing.models import Notice
from customers.models import Customer


def list_notices(*, customer: Customer, since: datetime, limit: int) -> list[Notice]:
    """Notices from an instant on, newest first."""
    return list(Notice.objects.filter(customer=customer, created_at__gte=since)[:limit])
