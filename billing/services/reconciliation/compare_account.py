"""An account held against its subscription at Stripe."""

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
    """Of a customer's subscriptions to our plans that run, the one that counts.

    `others` is how many run beside it, and are paid for twice.
    """

    current: SubscriptionSnapshot
    others: int


def group_subscriptions(found: Iterable[SubscriptionSnapshot]) -> dict[str, RunningSubscriptions]:
    """Of all subscriptions, by Stripe customer, those to our plans that run."""
    grouped: dict[str, RunningSubscriptions] = {}
    for this in found:
        if this.plan is None or this.is_ended:
            continue
        other = grouped.get(this.stripe_customer_id)
        others = 0 if other is None else other.others + 1
        current = choose_subscription([this] if other is None else [this, other.current])
        grouped[this.stripe_customer_id] = RunningSubscriptions(current or this, others)
    return grouped


def seems_stale(account: BillingAccount, running: RunningSubscriptions | None) -> bool:
    """Whether an account may differ from what Stripe listed: a suspicion, to be looked at closely."""
    if account.status in (Status.PENDING, Status.TRIALING):
        return running is not None
    if running is None:
        return account.status != Status.CANCELED
    if account.unit_price_cents is None:
        return True  # from before an account knew its own prices
    known = (account.plan, account.status, account.subscription_id)
    period = (account.current_period_start, account.current_period_end)
    current = running.current
    plan = current.plan.key if current.plan else None
    if known != (plan, read_status(current), current.subscription_id):
        return True
    return period != (current.current_period_start, current.current_period_end)


def resync_suspect(
    account: BillingAccount, running: RunningSubscriptions | None, *, at: datetime
) -> Finding | None:
    """Read a suspect's subscriptions anew and derive its state; what had to change, None where nothing had.

    The account is compared before and after under the lock of its customer, so that news which arrives
    meanwhile is no difference. Calls out. Raises StripeUnavailable, StripeRejected.
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
    words = ", ".join(f"{name}: {before[name]} became {after[name]}" for name in changed)
    return describe_stale(account, words, at=at, state=Discrepancy.State.REPAIRED)


def end_others(
    account: BillingAccount, running: RunningSubscriptions | None, *, at: datetime
) -> list[Finding]:
    """That more than one subscription runs. The second is ended; staff are left what has no paid first one.

    Calls out. Raises StripeUnavailable, StripeRejected.
    """
    if running is None or not running.others:
        return []
    stripe_customer_id = account.stripe_customer_id or ""
    with lock_stripe_customer(stripe_customer_id):
        sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
        ended = end_second_subscriptions(stripe_customer_id=stripe_customer_id, at=at)
        refresh_account(stripe_customer_id=stripe_customer_id)
    words = (
        f"{running.others + 1} subscriptions run; {running.current.subscription_id} is the one that counts."
    )
    state = Discrepancy.State.REPAIRED if ended else Discrepancy.State.OPEN
    return [describe_stale(account, words, at=at, state=state)]


def describe_stale(
    account: BillingAccount, words: str, *, at: datetime, state: Discrepancy.State = Discrepancy.State.OPEN
) -> Finding:
    span = Span(account.current_period_start or at, account.current_period_end or at)
    kind = Discrepancy.Kind.STALE_ACCOUNT
    return Finding(kind, span, ledger=0, stripe=0, portal=0, detail=words[:500], state=state)


def _read(account: BillingAccount) -> dict[str, Any]:
    row: dict[str, Any] = BillingAccount.objects.values(*FIELDS).get(pk=account.pk)
    return row
