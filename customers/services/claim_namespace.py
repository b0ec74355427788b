"""A namespace is held by who used it first."""

from django.db import IntegrityError, transaction

from customers import selectors
from customers.models import Customer, ForgeAccount
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
            with transaction.atomic():
                return ForgeAccount.objects.create(customer=customer, forge=forge, namespace=namespace)
        except IntegrityError:
            held = selectors.find_forge_account(forge=forge, namespace=namespace)
    if held is None or held.customer_id != customer.pk:
        raise NamespaceHeld
    return held
