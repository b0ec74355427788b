"""Before a runner works on an issue, one fix is held for it."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from billing.models import BillingAccount, UsageClaim, UsageRecord
from billing.selectors.entitlements import count_used_fixes, find_billing_page, find_blocked_reason
from billing.selectors.trial import count_pool_claims, get_trial_use
from billing.services.metering.record_usage import lock_account, lock_pool
from core.errors import DomainError
from customers.models import Customer
from customers.services.namespace_claims import KeyOrigin
from phases.services.get_or_create_repository import get_or_create_repository

log = structlog.get_logger(__name__)


class FixRefused(DomainError):
    """The account may make no further fix. `reason` is the entitlement's blockedReason."""

    code, status = "USAGE_LIMIT_EXCEEDED", 402

    def __init__(self, reason: str) -> None:
        super().__init__(explain_refusal(reason), fields={"blockedReason": reason})
        self.reason = reason


@transaction.atomic
def claim_fix(
    *,
    customer: Customer,
    namespace: str,
    repository_name: str,
    issue_number: int,
    at: datetime,
    origin: KeyOrigin | None = None,
) -> UsageClaim:
    """Hold one fix for an issue for CLAIM_MINUTES; claiming it again holds it longer.

    The account's row is locked: what is held and what is used never exceeds the trial or the cap. A claim
    that is still held is asked the same again, since the plan may have ended meanwhile. An issue
    that is in the ledger is granted and takes no slot, since it is billed no second time. A fix that fails
    gives nothing back at once: its claim expires. Raises FixRefused and what get_or_create_repository raises.
    """
    repository = get_or_create_repository(
        customer=customer, namespace=namespace, name=repository_name, origin=origin
    )
    account = lock_account(customer)
    issue = {"repository": repository, "issue_number": issue_number}
    claim = UsageClaim.objects.filter(**issue).first() or UsageClaim(
        **issue, customer=customer, created_at=at, expires_at=at
    )
    is_recorded = UsageRecord.objects.filter(**issue).exists()
    if not is_recorded:
        _require_slot(account, claim, at)
    claim.used_at = (claim.used_at or at) if is_recorded else None
    claim.expires_at = at + timedelta(minutes=settings.CLAIM_MINUTES)
    claim.save()
    return claim


def _require_slot(account: BillingAccount, claim: UsageClaim, at: datetime) -> None:
    """Beside what is used and what is held for other issues: a claim does not stand in its own way."""
    others = UsageClaim.objects.filter(customer_id=account.customer_id).exclude(pk=claim.pk)
    held = others.filter(used_at=None, expires_at__gt=at).count()
    used, left_in_pool = _count_used(account, claim, at)
    reason = find_blocked_reason(account, used + held, at, left_in_pool=left_in_pool)
    if reason is not None:
        log.info("claim_refused", customer=str(account.customer_id), reason=reason, held=held)
        raise FixRefused(reason)


def _count_used(account: BillingAccount, claim: UsageClaim, at: datetime) -> tuple[int, int | None]:
    """Fixes used, and on a trial what is neither used nor held of those that the namespace gives."""
    if account.status != BillingAccount.Status.TRIALING:
        return count_used_fixes(account), None
    namespace = claim.repository.forge_account
    lock_pool(namespace)
    use = get_trial_use(account, namespace)
    return use.used, use.left_in_pool - count_pool_claims(namespace, but=claim, at=at)


def explain_refusal(reason: str) -> str:
    """A blockedReason as a sentence for a person, with what to do about it."""
    words = {
        "owner_trial_exhausted": "This GitHub owner's ten free fixes are used or held for other issues. Ask "
        "support to confirm that it is yours, or choose a plan",
        "trial_exhausted": "No free fix is left: used, held, or given to another account. Choose a plan",
        "spend_cap_reached": "One more fix would exceed the spend cap. Raise it or wait for the next period",
        "payment_past_due": "A payment is past due. Pay the open invoice and fixes go on",
        "subscription_unpaid": "An invoice is unpaid. Pay it and fixes go on",
        "subscription_canceled": "The plan has ended. Choose a plan",
    }
    advice = words.get(reason, f"This account cannot make fixes now ({reason}). Look at its billing")
    return f"{advice}: {find_billing_page()}"
