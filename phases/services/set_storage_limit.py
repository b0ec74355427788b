"""Set one customer's storage limit, for staff."""

from datetime import datetime

from django.db import transaction

from customers.models import AuditLogEntry, Customer, User
from customers.services.record_audit_log_entry import record_audit_log_entry
from phases.models import StorageUse


@transaction.atomic
def set_storage_limit(*, customer: Customer, limit_mb: int | None, by: User, at: datetime) -> None:
    """Set the customer's limit in MB, None for that of its plan. Adds to the audit log. Safe to repeat."""
    use, _ = StorageUse.objects.get_or_create(customer=customer)
    if use.limit_mb == limit_mb:
        return
    StorageUse.objects.filter(customer=customer).update(limit_mb=limit_mb)
    limit = "as the plan allows" if limit_mb is None else f"{limit_mb} MB"
    action = AuditLogEntry.Action.STAFF_ACTED
    record_audit_log_entry(
        customer=customer, action=action, actor=by, at=at, subject=f"storage limit: {limit}"
    )
