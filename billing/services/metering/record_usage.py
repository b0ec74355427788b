"""Record a completed mitigation as one row of the usage ledger."""

from datetime import datetime

import structlog
from django.db import transaction

from billing.metrics import USAGE_RECORDED
from billing.models import BillingAccount, UsageClaim, UsageRecord, UsageReport
from billing.selectors.entitlements import count_period_fixes, count_used_fixes
from billing.selectors.trial import get_trial_use
from billing.services.metering.notify_usage_thresholds import notify_usage_thresholds
from core.outbox.sweep import enqueue
from customers.locks import lock_name
from customers.models import Customer, ForgeAccount
from phases.models import PhaseExecution

log = structlog.get_logger(__name__)

Coverage = UsageRecord.Coverage


# Part of the transaction that stores the phase's result: an error here must undo that too.
@transaction.atomic(savepoint=False)
def record_usage(*, customer: Customer, execution: PhaseExecution, occurred_at: datetime) -> UsageRecord:
    """Record a fix in the ledger and, if it is metered, enqueue its report to Stripe on commit.

    Safe to repeat: for a repository and issue that are already in the ledger, the existing row is returned.
    Locks the account's row, then on a trial the namespace's pool, so that concurrent fixes cannot share the
    last free slot. Marks the issue's claim as used. A fix without a claim, or beyond the spend cap, is
    recorded all the same, because it was already made. Usage notifications are written in the same
    transaction. Makes no Stripe call. Raises ValueError for an execution without an issue.
    """
    if execution.issue_number is None:
        raise ValueError("a fix needs an issue number")
    account = lock_account(customer)
    # After the lock: a concurrent request may have recorded this fix just now.
    known = UsageRecord.objects.filter(
        repository_id=execution.repository_id, issue_number=execution.issue_number
    ).first()
    if known is not None:
        return known
    coverage, used = _choose_coverage(account, execution.repository.forge_account)
    usage = UsageRecord.objects.create(
        customer=customer,
        execution=execution,
        repository_id=execution.repository_id,
        issue_number=execution.issue_number,
        coverage=coverage,
        plan=account.plan,
        unit_price_cents=account.terms.unit_price_cents if coverage == Coverage.METERED else 0,
        occurred_at=occurred_at,
        stripe_customer_id=account.stripe_customer_id,
        subscription_id=account.subscription_id,
    )
    UsageClaim.objects.filter(
        repository_id=execution.repository_id, issue_number=execution.issue_number, used_at=None
    ).update(used_at=occurred_at)
    transaction.on_commit(USAGE_RECORDED.labels(str(account.plan), str(coverage)).inc)
    log.info("usage_recorded", usage=str(usage.pk), coverage=str(coverage), plan=account.plan)
    if coverage == Coverage.METERED:
        enqueue(UsageReport.objects.create(usage=usage, customer=customer))
    if coverage != Coverage.UNBILLED:
        notify_usage_thresholds(account=account, used=used + 1, at=occurred_at)
    return usage


def lock_account(customer: Customer) -> BillingAccount:
    """Return the customer's account, created if missing, with its row locked until the transaction ends.

    This lock serializes everything that counts or reports a customer's fixes. Take it before lock_trial_pool.
    """
    locked = BillingAccount.objects.select_for_update()
    account = locked.filter(customer=customer).first()
    if account is None:
        # First created, then locked: of two concurrent creations, both find the same row.
        BillingAccount.objects.get_or_create(customer=customer)
        account = locked.get(customer=customer)
    # Spares the query that `account.customer` would make.
    account.customer = customer
    return account


def lock_trial_pool(namespace: ForgeAccount) -> None:
    """Lock a namespace's pool of free fixes until the transaction ends.

    Take the account's lock first: the opposite order can deadlock.
    """
    lock_name("trial", namespace.forge, namespace.namespace)


def _choose_coverage(account: BillingAccount, namespace: ForgeAccount) -> tuple[UsageRecord.Coverage, int]:
    """Return who pays for one more fix, and how many fixes were used before it."""
    if account.can_meter:
        return Coverage.METERED, count_period_fixes(account)
    if account.status != BillingAccount.Status.TRIALING:
        return Coverage.UNBILLED, count_used_fixes(account)
    lock_trial_pool(namespace)
    use = get_trial_use(account, namespace)
    is_free = use.used < account.trial_fixes_limit and use.left_in_pool > 0
    return Coverage.TRIAL if is_free else Coverage.UNBILLED, use.used
