"""Claim namespaces on first use."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers import selectors
from customers.locks import lock_name
from customers.models import ApiKey, AuditLogEntry, Customer, ForgeAccount

from .namespace_claims import KeyOrigin, lock_claim, lock_customers, record_claim

GITHUB = ForgeAccount.Forge.GITHUB


class NamespaceHeld(DomainError):
    code, status = "FORBIDDEN", 403
    message = gettext_noop(
        "This namespace belongs to another RSOLV account. Contact support if that is wrong."
    )


class TooManyNamespaces(DomainError):
    """The customer has the maximum number of provisional claims."""

    code, status = "FORBIDDEN", 403

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This account has {limit} GitHub organizations whose ownership is not verified, which is the "
            "maximum. Release one on the Repositories page, or ask support to verify that one is yours."
        )


@transaction.atomic
def claim_namespace(
    *,
    customer: Customer,
    namespace: str,
    forge: str = GITHUB,
    origin: KeyOrigin | None = None,
    at: datetime | None = None,
) -> ForgeAccount:
    """Return the customer's claim on a namespace, creating it on first use.

    A new claim is provisional. A claim that the customer released becomes valid again, with its stored data.
    Safe to repeat, and safe to run concurrently with claims, proofs and releases of the same namespace: the
    namespace is locked first, then customers, then claims. Raises NamespaceHeld, TooManyNamespaces.
    """
    lock_name("namespace", forge, namespace)
    proven = selectors.find_proven_account(forge=forge, namespace=namespace)
    if proven is not None and proven.customer_id != customer.pk:
        raise NamespaceHeld
    own = selectors.find_forge_account(customer=customer, forge=forge, namespace=namespace)
    if own is not None and own.is_held:
        return own
    lock_customers([customer.pk])
    _require_free_claim(customer)
    own = lock_claim(own, customer, namespace, forge)
    subject = _describe(own, _find_key_prefix(origin))
    record_claim(AuditLogEntry.Action.NAMESPACE_CLAIMED, own, subject, None, at or timezone.now(), origin)
    return own


def _require_free_claim(customer: Customer) -> None:
    is_subscribed = selectors.is_subscribed(customer=customer)
    limit = settings.NAMESPACE_CLAIMS_SUBSCRIBED if is_subscribed else settings.NAMESPACE_CLAIMS_TRIAL
    if selectors.count_provisional_claims(customer=customer) >= limit:
        raise TooManyNamespaces(limit)


def _find_key_prefix(origin: KeyOrigin | None) -> str:
    if origin is None or origin.key_id is None:
        return ""
    return ApiKey.objects.filter(pk=origin.key_id).values_list("prefix", flat=True).first() or ""


def _describe(claim: ForgeAccount, key_prefix: str) -> str:
    return f"{claim} (API key {key_prefix}…)" if key_prefix else str(claim)
