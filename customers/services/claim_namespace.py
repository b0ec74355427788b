"""A namespace is held by who used it first, until their account is closed."""

from datetime import datetime

from django.db import IntegrityError, transaction

from customers import selectors
from customers.models import Customer, ForgeAccount
from customers.signals import NamespaceClaimed, namespace_claimed
from rsolv.errors import DomainError


class NamespaceHeld(DomainError):
    code, status = "FORBIDDEN", 403
    message = "This namespace belongs to another RSOLV account. Write to support if that is wrong."


def claim_namespace(
    *, customer: Customer, namespace: str, forge: str = ForgeAccount.Forge.GITHUB
) -> ForgeAccount:
    """The customer's hold on a namespace, claimed on first use. Raises NamespaceHeld.

    Safe to race: the database holds each namespace once, whatever its case.
    """
    held = selectors.find_forge_account(forge=forge, namespace=namespace)
    if held is None:
        try:
            return _claim(customer, namespace, forge)
        except IntegrityError:
            held = selectors.find_forge_account(forge=forge, namespace=namespace)
    if held is None or held.customer_id != customer.pk:
        raise NamespaceHeld
    return held


def release_namespaces(*, customer: Customer, at: datetime) -> None:
    """Others may claim what the customer held. What was stored in it stays the customer's."""
    customer.forge_accounts.filter(released_at=None).update(released_at=at)


@transaction.atomic
def _claim(customer: Customer, namespace: str, forge: str) -> ForgeAccount:
    """One that the customer itself released is taken up again, with all that was stored in it."""
    earlier = selectors.list_released_accounts(forge=forge, namespace=namespace)
    own = next((each for each in earlier if each.customer_id == customer.pk), None)
    if own is not None:
        own.released_at = None
        own.save(update_fields=["released_at"])
        return own
    made = ForgeAccount.objects.create(customer=customer, forge=forge, namespace=namespace)
    if earlier:
        namespace_claimed.send(sender=ForgeAccount, **NamespaceClaimed(account=made, earlier=earlier))
    return made
