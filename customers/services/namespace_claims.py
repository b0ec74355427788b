"""What claiming, proving and releasing a namespace share. See docs/decisions/024.

Locks are taken in one order: the namespace's name, customers by their id, claims by their id.
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
    """The request that makes a claim, as the audit log keeps it. `key_id`: of the API key that it carried."""

    key_id: UUID | None = None
    address: str | None = None
    device: str = ""


def lock_claim(own: ForgeAccount | None, customer: Customer, namespace: str, forge: str) -> ForgeAccount:
    """The customer's claim, valid and provisional; the released one again where there was one."""
    if own is None:
        return ForgeAccount.objects.create(customer=customer, forge=forge, namespace=namespace)
    if not own.is_held:
        own.released_at = own.proven_at = None
        own.save(update_fields=["released_at", "proven_at"])
    return own


def lock_claims(forge: str, namespace: str, acting: Customer | None) -> list[ForgeAccount]:
    """The valid claims on a namespace, locked after their customers, so that an account that closes waits."""
    valid = selectors.list_forge_accounts(forge=forge, namespace=namespace).filter(released_at=None)
    lock_customers({*valid.values_list("customer_id", flat=True), *([acting.pk] if acting else [])})
    return list(valid.select_for_update(of=("self",)).select_related("customer").order_by("pk"))


def lock_customers(ids: Iterable[UUID]) -> None:
    """In one order. Rows that refer to a customer may still be written meanwhile."""
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
    """`keeps_proof`: free fixes that were used in it still count for whoever proves the namespace next."""
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
