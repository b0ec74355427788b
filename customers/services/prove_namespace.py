"""A namespace is proven to be a customer's own."""

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
    code, status, message = "CONFLICT", 409, gettext_noop("This account is closed. Open it again first.")


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
    """Record that the namespace is the customer's: every other customer's claim on it ends.

    Called by staff after a check, and by keyless login. Claims the namespace where the customer had not, past
    its bound. Repeating it changes nothing. What others stored in the namespace stays theirs to read. Raises
    CustomerClosed, and NamespaceHeld where another customer has proven it: release it first.
    """
    lock_name("namespace", forge, namespace)
    proven = selectors.find_proven_account(forge=forge, namespace=namespace)
    if proven is not None:
        if proven.customer_id != customer.pk:
            raise NamespaceHeld
        return proven
    claims = lock_claims(forge, namespace, customer)
    if not Customer.objects.filter(pk=customer.pk, closed_at=None).exists():
        raise CustomerClosed
    own = selectors.find_forge_account(customer=customer, forge=forge, namespace=namespace)
    own = lock_claim(own, customer, namespace, forge)
    for other in claims:
        if other.customer_id != customer.pk:
            end_claim(other, f"{other}: another account proved that it is theirs", None, at, None)
    own.proven_at = at
    own.save(update_fields=["proven_at"])
    record_claim(AuditLogEntry.Action.NAMESPACE_PROVEN, own, str(own), by, at, origin)
    return own
