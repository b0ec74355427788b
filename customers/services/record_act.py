"""Acts that matter to a customer's security are written down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Unpack

from customers.models import AuditEntry, Customer, User
from customers.origin import Origin

PRODUCT = "RSOLV"
LONGEST_SUBJECT = 254
LONGEST_DEVICE = 60


def record_act(
    *,
    customer: Customer,
    act: AuditEntry.Act,
    actor: User | None,
    at: datetime,
    subject: str = "",
    **origin: Unpack[Origin],
) -> AuditEntry:
    """Write an act into the audit log. Belongs into the transaction of the act itself.

    `actor` None is the product itself. A member of staff who is no member of the customer is named as staff.
    """
    entries = record_acts(customer=customer, act=act, actor=actor, at=at, subjects=[subject], **origin)
    return entries[0]


def record_acts(
    *,
    customer: Customer,
    act: AuditEntry.Act,
    actor: User | None,
    at: datetime,
    subjects: Iterable[str],
    **origin: Unpack[Origin],
) -> list[AuditEntry]:
    """Write one entry for each subject, as record_act does, in one statement."""
    name = _name(customer, actor)
    return AuditEntry.objects.bulk_create(
        AuditEntry(
            customer=customer,
            act=act,
            actor=actor,
            actor_name=name,
            subject=subject[:LONGEST_SUBJECT],
            address=origin.get("address"),
            device=origin.get("device", "")[:LONGEST_DEVICE],
            at=at,
        )
        for subject in subjects
    )


def _name(customer: Customer, actor: User | None) -> str:
    if actor is None:
        return PRODUCT
    if actor.is_staff and not customer.memberships.filter(user=actor).exists():
        return f"{PRODUCT} staff"
    return actor.email
