"""Shared steps of claiming, proving and releasing a namespace. See docs/decisions/024.

To prevent deadlocks, locks are always taken in this order: the namespace's name, customers by id, claims by
id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers import selectors
from customers.models import AuditLogEntry, Customer, ForgeAccount, User

from .record_audit_log_entry import record_audit_log_entry


@dataclass(frozen=True)
class KeyOrigin:
    """The API request that makes a claim, for the audit log. `key_id` is the key that it used."""

    key_id: UUID | None = None
    address: str | None = None
    device: str = ""


def lock_claim(own: ForgeAccount | None, customer: Customer, namespace: str, forge: str) -> ForgeAccount:
    """Return the customer's claim, valid and provisional. A released claim is used again if there is one."""
    if own is None:
        return ForgeAccount.objects.create(customer=customer, forge=forge, namespace=namespace)
    if not own.is_held:
        own.released_at = own.proven_at = None
        own.save(update_fields=["released_at", "proven_at"])
    return own


def lock_claims(forge: str, namespace: str, acting: Customer | None) -> list[ForgeAccount]:
    """Return the valid claims on a namespace, locked after their customers.

    Locking the customers makes an account that is closing wait.
    """
    valid = selectors.list_forge_accounts(forge=forge, namespace=namespace).filter(released_at=None)
    lock_customers({*valid.values_list("customer_id", flat=True), *([acting.pk] if acting else [])})
    return list(valid.select_for_update(of=("self",)).select_related("customer").order_by("pk"))


def lock_customers(ids: Iterable[UUID]) -> None:
    """Lock customers in the order of their ids. NO KEY: rows that refer to them can still be inserted."""
    rows = Customer.objects.filter(pk__in=list(ids)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def end_claim(
    claim: ForgeAccount,
    subject: str,
    by: User | None,
    at: datetime,
    origin: KeyOrigin | None,
    *,
    keeps_proof: bool = False,
) -> None:
    """Release a claim.

    `keeps_proof`: free fixes used in it still count for the next owner of the namespace.
    """
    claim.released_at = at
    claim.proven_at = claim.proven_at if keeps_proof else None
    claim.save(update_fields=["released_at", "proven_at"])
    record_claim(AuditLogEntry.Action.NAMESPACE_RELEASED, claim, subject, by, at, origin)


def record_claim(
    action: AuditLogEntry.Action,
    claim: ForgeAccount,
    subject: str,
    by: User | None,
    at: datetime,
    origin: KeyOrigin | None,
) -> None:
    """Add an entry about a claim to the customer's audit log. `by` None: RSOLV itself or an API key."""
    origin = origin or KeyOrigin()
    record_audit_log_entry(
        customer=claim.customer,
        action=action,
        actor=by,
        subject=subject,
        at=at,
        address=origin.address,
        device=origin.device,
    )
