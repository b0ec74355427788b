"""Record verified ownership of namespaces."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers import selectors
from customers.locks import lock_name
from customers.models import AuditLogEntry, Customer, ForgeAccount, User

from .claim_namespace import GITHUB, NamespaceHeld
from .namespace_claims import KeyOrigin, end_claim, lock_claim, lock_claims, record_claim


class CustomerClosed(DomainError):
    code, status, message = "CONFLICT", 409, gettext_noop("This account is closed. Reopen it first.")


@transaction.atomic
def prove_namespace(
    *,
    customer: Customer,
    namespace: str,
    at: datetime,
    forge: str = GITHUB,
    by: User | None = None,
    origin: KeyOrigin | None = None,
) -> ForgeAccount:
    """Record that the namespace belongs to the customer, and end other customers' claims on it.

    Called by staff after a check, and by keyless login. If the customer has no claim yet, one is created,
    even above the limit. Other customers can still read what they stored in the namespace. Safe to repeat.
    Raises CustomerClosed, and NamespaceHeld if another customer's claim is proven, which must be released
    first.
    """
    lock_name("namespace", forge, namespace)
    proven = selectors.find_proven_account(forge=forge, namespace=namespace)
    if proven is not None:
        if proven.customer_id != customer.pk:
            raise NamespaceHeld
        return proven
    claims = lock_claims(forge, namespace, customer)
    # Checked under the lock, which an account that is closing takes as well.
    if not Customer.objects.filter(pk=customer.pk, closed_at=None).exists():
        raise CustomerClosed
    own = selectors.find_forge_account(customer=customer, forge=forge, namespace=namespace)
    own = lock_claim(own, customer, namespace, forge)
    for other in claims:
        if other.customer_id != customer.pk:
            end_claim(other, f"{other}: another account verified its ownership", None, at, None)
    own.proven_at = at
    own.save(update_fields=["proven_at"])
    record_claim(AuditLogEntry.Action.NAMESPACE_PROVEN, own, str(own), by, at, origin)
    return own
