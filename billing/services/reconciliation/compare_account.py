"""Compare an account with its subscription at Stripe."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount, Discrepancy
from billing.services.reconciliation.compare_usage import Finding, Span
from billing.services.subscriptions.end_second_subscriptions import end_second_subscriptions
from billing.services.subscriptions.refresh_account import choose_subscription, read_status, refresh_account
from billing.stripe_gateway.snapshots import SubscriptionSnapshot
from billing.stripe_gateway.subscriptions import sync_live_subscriptions, sync_subscription

FIELDS = ("plan", "status", "subscription_id", "current_period_start", "current_period_end", "cancel_at")
Status = BillingAccount.Status


@dataclass(frozen=True, slots=True)
class RunningSubscriptions:
    """A customer's running subscriptions to our plans: the current one, and how many others.

    Each of the `others` charges the customer a second time for the same fixes.
    """

    current: SubscriptionSnapshot
    others: int


def group_subscriptions(found: Iterable[SubscriptionSnapshot]) -> dict[str, RunningSubscriptions]:
    """Group the running subscriptions to our plans by Stripe customer id."""
    grouped: dict[str, RunningSubscriptions] = {}
    for this in found:
        if this.plan is None or this.is_ended:
            continue
        other = grouped.get(this.stripe_customer_id)
        others = 0 if other is None else other.others + 1
        current = choose_subscription([this] if other is None else [this, other.current])
        grouped[this.stripe_customer_id] = RunningSubscriptions(current or this, others)
    return grouped


def may_be_stale(account: BillingAccount, running: RunningSubscriptions | None) -> bool:
    """Whether an account may differ from Stripe's list; `resync_account_state` then makes sure.

    A webhook may have arrived between the list and this comparison, so a difference alone proves nothing.
    """
    if account.status in (Status.PENDING, Status.TRIALING):
        return running is not None
    if running is None:
        return account.status != Status.CANCELED
    if account.unit_price_cents is None:
        return True  # the row predates the columns for the subscription's own prices
    known = (account.plan, account.status, account.subscription_id)
    period = (account.current_period_start, account.current_period_end)
    current = running.current
    plan = current.plan.key if current.plan else None
    if known != (plan, read_status(current), current.subscription_id):
        return True
    return period != (current.current_period_start, current.current_period_end)


def resync_account_state(
    account: BillingAccount, running: RunningSubscriptions | None, *, at: datetime
) -> Finding | None:
    """Sync the account's subscriptions from Stripe and derive its state; return what changed, if anything.

    Compares the account before and after under the Stripe customer's lock, so that a webhook that arrives
    meanwhile is not reported as a difference. Commits; calls Stripe; safe to repeat.
    Raises StripeUnavailable, StripeRejected.
    """
    stripe_customer_id = account.stripe_customer_id or ""
    found = (account.subscription_id, running.current.subscription_id if running else None)
    known = sorted({subscription_id for subscription_id in found if subscription_id})
    with lock_stripe_customer(stripe_customer_id):
        before = _read(account)
        for subscription_id in known:
            sync_subscription(subscription_id)
        refresh_account(stripe_customer_id=stripe_customer_id)
        after = _read(account)
    changed = [name for name in FIELDS if before[name] != after[name]]
    account.refresh_from_db()
    if not changed:
        return None
    detail = ", ".join(f"{name}: {before[name]} became {after[name]}" for name in changed)
    return describe_stale_account(account, detail, at=at, state=Discrepancy.State.REPAIRED)


def end_other_subscriptions(
    account: BillingAccount, running: RunningSubscriptions | None, *, at: datetime
) -> list[Finding]:
    """End the subscriptions that run beside the first one; return a finding if there were any.

    If the first one is not paid, nothing is ended, and the finding stays open for staff. Commits; calls
    Stripe; safe to repeat. Raises StripeUnavailable, StripeRejected.
    """
    if running is None or not running.others:
        return []
    stripe_customer_id = account.stripe_customer_id or ""
    with lock_stripe_customer(stripe_customer_id):
        # Stripe's list is minutes old by now, so it is read again under the lock.
        sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
        ended = end_second_subscriptions(stripe_customer_id=stripe_customer_id, at=at)
        refresh_account(stripe_customer_id=stripe_customer_id)
    current_id = running.current.subscription_id
    detail = f"{running.others + 1} subscriptions are running; {current_id} is the current one."
    state = Discrepancy.State.REPAIRED if ended else Discrepancy.State.OPEN
    return [describe_stale_account(account, detail, at=at, state=state)]


def describe_stale_account(
    account: BillingAccount, detail: str, *, at: datetime, state: Discrepancy.State = Discrepancy.State.OPEN
) -> Finding:
    """Build the finding of an account that differs from Stripe, for its current period. Writes nothing."""
    span = Span(account.current_period_start or at, account.current_period_end or at)
    kind = Discrepancy.Kind.STALE_ACCOUNT
    return Finding(kind, span, ledger=0, stripe=0, portal=0, detail=detail[:500], state=state)


def _read(account: BillingAccount) -> dict[str, Any]:
    row: dict[str, Any] = BillingAccount.objects.values(*FIELDS).get(pk=account.pk)
    return row
