"""Release claims on namespaces."""

from datetime import datetime

from django.db import transaction

from customers.locks import lock_name
from customers.models import Customer, User

from .claim_namespace import GITHUB
from .namespace_claims import KeyOrigin, end_claim, lock_claims


@transaction.atomic
def release_namespace(
    *,
    namespace: str,
    at: datetime,
    customer: Customer | None = None,
    forge: str = GITHUB,
    by: User | None = None,
    origin: KeyOrigin | None = None,
) -> int:
    """Release the claims on a namespace, of one customer or of all. Return how many. Safe to repeat.

    Stored data stays the customer's. Other customers may claim and prove the namespace from now on.
    """
    lock_name("namespace", forge, namespace)
    claims = lock_claims(forge, namespace, customer)
    ending = [each for each in claims if customer is None or each.customer_id == customer.pk]
    for claim in ending:
        end_claim(claim, str(claim), by, at, origin)
    return len(ending)


def release_namespaces(*, customer: Customer, at: datetime) -> None:
    """Release all claims of a closing customer, whose row must be locked. Stored data stays theirs."""
    # Takes no lock on names: whoever proves one waits for the customer's row (docs/decisions/024).
    for claim in customer.forge_accounts.select_for_update(of=("self",)).filter(released_at=None):
        end_claim(claim, str(claim), None, at, None, keeps_proof=True)
