"""Block and unblock a customer's API keys."""

from datetime import datetime

from django.db import transaction

from customers.models import AuditLogEntry, Customer, User

from .record_audit_log_entry import record_audit_log_entry


@transaction.atomic
def block_customer(*, customer: Customer, by: User, at: datetime, reason: str = "") -> None:
    """Reject all API keys of the customer from now on. People may still log in. Safe to repeat."""
    rows = Customer.objects.filter(pk=customer.pk, blocked_at=None)
    if rows.update(blocked_at=at, blocked_reason=reason):
        _record(customer, by, at, "API keys blocked")


@transaction.atomic
def unblock_customer(*, customer: Customer, by: User, at: datetime) -> None:
    """Accept the customer's API keys again. Safe to repeat."""
    rows = Customer.objects.filter(pk=customer.pk).exclude(blocked_at=None)
    if rows.update(blocked_at=None, blocked_reason=""):
        _record(customer, by, at, "API keys unblocked")


def _record(customer: Customer, by: User, at: datetime, subject: str) -> None:
    record_audit_log_entry(
        customer=customer, action=AuditLogEntry.Action.STAFF_ACTED, actor=by, at=at, subject=subject
    )
