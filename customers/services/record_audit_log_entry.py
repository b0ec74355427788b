"""Write the customer's audit log."""

from collections.abc import Iterable
from datetime import datetime
from typing import Unpack

from customers.acting_staff import get_acting_staff
from customers.models import AuditLogEntry, Customer, User
from customers.origin import Origin

PRODUCT = "RSOLV"
STAFF = f"{PRODUCT} staff"
MAX_SUBJECT_LENGTH = 254
MAX_DEVICE_LENGTH = 60


def record_audit_log_entry(
    *,
    customer: Customer,
    action: AuditLogEntry.Action,
    actor: User | None,
    at: datetime,
    subject: str = "",
    **origin: Unpack[Origin],
) -> AuditLogEntry:
    """Add an entry. Call it inside the transaction of the action itself.

    `actor` None means RSOLV itself. Staff who are not members of the customer are named as staff. So is every
    change made in the staff admin, whatever actor the service names, and without an address.
    """
    entries = record_audit_log_entries(
        customer=customer, action=action, actor=actor, at=at, subjects=[subject], **origin
    )
    return entries[0]


def record_audit_log_entries(
    *,
    customer: Customer,
    action: AuditLogEntry.Action,
    actor: User | None,
    at: datetime,
    subjects: Iterable[str],
    **origin: Unpack[Origin],
) -> list[AuditLogEntry]:
    """Add an entry per subject, like record_audit_log_entry, in one statement."""
    address, device = origin.get("address"), origin.get("device", "")
    if (staff := get_acting_staff()) is not None:
        staff.customers_recorded.add(customer.pk)
        actor, address, device = staff.user, None, ""
    name = _name(customer, actor)
    return AuditLogEntry.objects.bulk_create(
        AuditLogEntry(
            customer=customer,
            action=action,
            actor=actor,
            actor_name=name,
            subject=subject[:MAX_SUBJECT_LENGTH],
            address=address,
            device=device[:MAX_DEVICE_LENGTH],
            at=at,
        )
        for subject in subjects
    )


def _name(customer: Customer, actor: User | None) -> str:
    if actor is None:
        return PRODUCT
    if get_acting_staff() is not None:
        return STAFF
    if actor.is_staff and not customer.memberships.filter(user=actor).exists():
        return STAFF
    return actor.email
