"""Staff change how much one customer may store."""

from datetime import datetime

from django.db import transaction

from customers.models import AuditEntry, Customer, User
from customers.services.record_act import record_act
from phases.models import StorageUse


@transaction.atomic
def set_storage_limit(*, customer: Customer, limit_mb: int | None, by: User, at: datetime) -> None:
    """Set the customer's own limit in MB; None: its plan's. Repeating it changes nothing."""
    use, _ = StorageUse.objects.get_or_create(customer=customer)
    if use.limit_mb == limit_mb:
        return
    StorageUse.objects.filter(customer=customer).update(limit_mb=limit_mb)
    limit = "as the plan allows" if limit_mb is None else f"{limit_mb} MB"
    act = AuditEntry.Act.STAFF_ACTED
    record_act(customer=customer, act=act, actor=by, at=at, subject=f"storage limit: {limit}")
