"""An account held against its subscription at Stripe."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from billing import stripe_gateway
from billing.locks import hold_stripe_customer
from billing.models import BillingAccount, Discrepancy
from billing.plans import Plan
from billing.stripe_gateway import find_plan

from .compare_usage import Finding, Span
from .end_second_subscriptions import end_second_subscriptions
from .refresh_account import PAYING, STATUSES, read_period, refresh_account

FIELDS = ("plan", "status", "subscription_id", "current_period_start", "current_period_end", "cancel_at")
Status = BillingAccount.Status


@dataclass(frozen=True)
class Standing:
    """What is compared of a subscription, so that thousands fit into memory.

    `others` counts what runs beside it, and is paid for twice.
    """

    subscription_id: str
    plan: str
    status: BillingAccount.Status | None
    period: tuple[datetime, datetime] | None
    anchor: datetime
    started_at: datetime
    created: int
    others: int


def read_standings(found: Iterable[dict[str, Any]]) -> dict[str, Standing]:
    """By Stripe customer, of the subscriptions to our plans that run, the one that counts."""
    standings: dict[str, Standing] = {}
    for data in found:
        plan = find_plan(data)
        if plan is None or STATUSES.get(data["status"]) == Status.CANCELED:
            continue
        this, other = _read_standing(data, plan), standings.get(data["customer"])
        if other is None:
            standings[data["customer"]] = this
        else:
            standings[data["customer"]] = replace(max(this, other, key=_rank), others=other.others + 1)
    return standings


def _rank(standing: Standing) -> tuple[bool, int]:
    """As refresh_account chooses: what is paid for before what is not, then the older."""
    return standing.status in PAYING, -standing.created


def _read_standing(data: dict[str, Any], plan: Plan) -> Standing:
    return Standing(
        subscription_id=data["id"],
        plan=plan.key,
        status=STATUSES.get(data["status"]),
        period=read_period(data) if data["items"]["data"] else None,
        anchor=datetime.fromtimestamp(data["billing_cycle_anchor"], UTC),
        started_at=datetime.fromtimestamp(data["start_date"], UTC),
        created=data["created"],
        others=0,
    )


def seems_stale(account: BillingAccount, standing: Standing | None) -> bool:
    """Whether an account may differ from what Stripe listed: a suspicion, to be looked at closely."""
    if account.status in (Status.PENDING, Status.TRIALING):
        return standing is not None
    if standing is None:
        return account.status != Status.CANCELED
    if account.unit_price_cents is None:
        return True  # from before an account knew its own prices
    known = (account.plan, account.status, account.subscription_id)
    period = (account.current_period_start, account.current_period_end)
    return known != (standing.plan, standing.status, standing.subscription_id) or period != standing.period


def resync_suspect(account: BillingAccount, standing: Standing | None, *, at: datetime) -> Finding | None:
    """Read a suspect's subscriptions anew and derive its state; what had to change, None where nothing had.

    The account is compared before and after under the lock of its customer, so that news which arrives
    meanwhile is no difference. Calls out. Raises StripeUnavailable, StripeRefused.
    """
    stripe_customer_id = account.stripe_customer_id or ""
    found = (account.subscription_id, standing.subscription_id if standing else None)
    known = sorted({subscription_id for subscription_id in found if subscription_id})
    with hold_stripe_customer(stripe_customer_id):
        before = _read(account)
        for subscription_id in known:
            stripe_gateway.sync_subscription(subscription_id)
        refresh_account(stripe_customer_id=stripe_customer_id)
        after = _read(account)
    changed = [name for name in FIELDS if before[name] != after[name]]
    account.refresh_from_db()
    if not changed:
        return None
    words = ", ".join(f"{name}: {before[name]} became {after[name]}" for name in changed)
    return describe_stale(account, words, at=at, state=Discrepancy.State.REPAIRED)


def end_others(account: BillingAccount, standing: Standing | None, *, at: datetime) -> list[Finding]:
    """That more than one subscription runs. The second is ended; staff are left what has no paid first one.

    Calls out. Raises StripeUnavailable, StripeRefused.
    """
    if standing is None or not standing.others:
        return []
    stripe_customer_id = account.stripe_customer_id or ""
    with hold_stripe_customer(stripe_customer_id):
        stripe_gateway.sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
        ended = end_second_subscriptions(stripe_customer_id=stripe_customer_id, at=at)
    words = f"{standing.others + 1} subscriptions run; {standing.subscription_id} is the one that counts."
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
