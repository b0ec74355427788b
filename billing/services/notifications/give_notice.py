"""A customer is told something about their money, once."""

from datetime import datetime
from typing import Any

from billing.models import Notice
from core import outbox
from customers.models import Customer


def give_notice(
    *, customer: Customer, kind: Notice.Kind, reference: str, data: dict[str, Any], at: datetime
) -> bool:
    """Note what the customer is to be told, and ask for its mail on commit; False where they were told.

    Belongs into the transaction of what it tells. Safe to race and to repeat.
    """
    notice = Notice(
        customer=customer, kind=kind, reference=reference, data=data, created_at=at, next_attempt_at=at
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    if not Notice.objects.filter(pk=notice.pk).exists():
        return False
    outbox.enqueue(notice)
    return True
