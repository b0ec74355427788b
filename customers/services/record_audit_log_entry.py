"""Acts that matter to a customer's security are written down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Unpack

from customers.acting_staff import get_acting_staff
from customers.models import AuditLogEntry, Customer, User
from customers.origin import Origin

PRODUCT = "RSOLV"
STAFF = f"{PRODUCT} staff"
LONGEST_SUBJECT = 254
LONGEST_DEVICE = 60


def record_audit_log_entry(
    *,
    customer: Customer,
    action: AuditLogEntry.Action,
    actor: User | None,
    at: datetime,
    subject: str = "",
    **origin: Unpack[Origin],
) -> AuditLogEntry:
    """Write an action into the audit log. Belongs into the transaction of the action itself.

    `actor` None is the product itself. A member of staff who is no member of the customer is named as staff;
    so is everything done in the staff admin, whoever the service names as its actor, without an address.
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
    """Write one entry for each subject, as record_audit_log_entry does, in one statement."""
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
            subject=subject[:LONGEST_SUBJECT],
            address=address,
            device=device[:LONGEST_DEVICE],
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
