"""Reserve one fix for an issue before a runner starts to work on it."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from billing.models import BillingAccount, UsageClaim, UsageRecord
from billing.selectors.entitlements import count_used_fixes, find_billing_page, find_blocked_reason
from billing.selectors.trial import count_pool_claims, get_trial_use
from billing.services.metering.record_usage import lock_account, lock_trial_pool
from core.errors import DomainError
from customers.models import Customer
from customers.services.namespace_claims import KeyOrigin
from phases.services.get_or_create_repository import get_or_create_repository

log = structlog.get_logger(__name__)


class UsageLimitExceeded(DomainError):
    """The account may not make another fix. `reason` is the entitlement's `blockedReason`."""

    code, status = "USAGE_LIMIT_EXCEEDED", 402

    def __init__(self, reason: str) -> None:
        super().__init__(explain_blocked_reason(reason), fields={"blockedReason": reason})
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
    """Reserve one fix for an issue for CLAIM_MINUTES; claiming the issue again extends the claim.

    Commits. Locks the account's row, so that claimed and used fixes together never exceed the trial or the
    cap. Extending a live claim checks the limits again, because the plan may have ended since. An issue that
    is already in the ledger is granted without taking a slot: it is never billed twice. The claim of a failed
    fix is not released early; it expires. Safe to repeat.
    Raises UsageLimitExceeded, and what get_or_create_repository raises.
    Source: docs/decisions/009-spend-caps-claims-and-corrections.md
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
    # A claim on a recorded issue is used from the start, so that it occupies no slot.
    claim.used_at = (claim.used_at or at) if is_recorded else None
    claim.expires_at = at + timedelta(minutes=settings.CLAIM_MINUTES)
    claim.save()
    return claim


def _require_slot(account: BillingAccount, claim: UsageClaim, at: datetime) -> None:
    """Raise UsageLimitExceeded unless a slot is free, not counting the claim that is being extended."""
    others = UsageClaim.objects.filter(customer_id=account.customer_id).exclude(pk=claim.pk)
    held = others.filter(used_at=None, expires_at__gt=at).count()
    used, left_in_pool = _count_used(account, claim, at)
    reason = find_blocked_reason(account, used + held, at, left_in_pool=left_in_pool)
    if reason is not None:
        log.info("claim_rejected", customer=str(account.customer_id), reason=reason, held=held)
        raise UsageLimitExceeded(reason)


def _count_used(account: BillingAccount, claim: UsageClaim, at: datetime) -> tuple[int, int | None]:
    """Return the fixes used and, on a trial, the fixes left in the namespace's pool, else None."""
    if account.status != BillingAccount.Status.TRIALING:
        return count_used_fixes(account), None
    namespace = claim.repository.forge_account
    lock_trial_pool(namespace)
    use = get_trial_use(account, namespace)
    return use.used, use.left_in_pool - count_pool_claims(namespace, but=claim, at=at)


def explain_blocked_reason(reason: str) -> str:
    """Return a sentence that explains a `blockedReason` and links to the page that resolves it."""
    explanations = {
        "owner_trial_exhausted": "This GitHub owner's ten free fixes are used or reserved for other issues. "
        "Ask support to confirm that you own it, or choose a plan",
        "trial_exhausted": "No free fixes are left: they are used, reserved, or belong to another account. "
        "Choose a plan",
        "spend_cap_reached": "Another fix would exceed the spend cap. Raise it or wait for the next period",
        "payment_past_due": "A payment is past due. Pay the open invoice to resume fixes",
        "subscription_unpaid": "An invoice is unpaid. Pay it to resume fixes",
        "subscription_canceled": "The plan has ended. Choose a plan",
    }
    advice = explanations.get(
        reason, f"This account cannot make fixes now ({reason}). Check its billing page"
    )
    return f"{advice}: {find_billing_page()}"
