"""Query Stripe about one account for reconciliation, with several calls in parallel."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.models import BillingAccount
from billing.periods import find_period
from billing.services.reconciliation.compare_account import (
    RunningSubscriptions,
    describe_stale_account,
    end_other_subscriptions,
    may_be_stale,
    resync_account_state,
)
from billing.services.reconciliation.compare_usage import Finding, Span, clip_to_now
from billing.services.subscriptions.find_last_billed_period import BilledPeriod, find_last_billed_period
from billing.stripe_gateway.errors import StripeRejected
from billing.stripe_gateway.meter import count_metered_between

# Covers the current period and the one before it: two of the longest months, and a day.
LOOKBACK = timedelta(days=63)
# Invoices created within this time are compared.
INVOICE_LOOKBACK = LOOKBACK / 2


@dataclass
class AccountQuery:
    """One account, the periods to compare, and Stripe's answers as they arrive.

    `closed` is the period before the current one. `ended` is the last billed period of a subscription that
    has ended; for an account without a plan, it is the end of the current period. `gap` is the time without
    a plan. `held` maps each span to the fixes on the meter. `used` is the count that the portal shows.
    """

    account: BillingAccount
    current: Span | None = None
    closed: Span | None = None
    ended: BilledPeriod | None = None
    gap: Span | None = None
    held: dict[Span, "Future[int]"] = field(default_factory=dict)
    used: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        """The periods whose meter summaries are queried."""
        former = self.ended.span if self.ended and not self.has_ended else None
        return [span for span in (self.current, self.closed, former) if span is not None]

    @property
    def has_ended(self) -> bool:
        """Whether the current period belongs to the subscription that has ended."""
        return self.ended is not None and self.ended.subscription_id == self.account.subscription_id


def query_account(
    account: BillingAccount, running: RunningSubscriptions | None, *, pool: ThreadPoolExecutor, at: datetime
) -> AccountQuery:
    """Sync a stale account, then query the meter for its current and its previous period.

    Commits what it syncs; calls Stripe; safe to repeat. Meter queries run in the pool's threads, which must
    not use the database: each thread would open a connection of its own. Raises StripeUnavailable.
    """
    query = AccountQuery(account)
    try:
        if may_be_stale(account, running) and (finding := resync_account_state(account, running, at=at)):
            query.findings.append(finding)
        query.findings += end_other_subscriptions(account, running, at=at)
    except StripeRejected as error:
        query.findings.append(describe_stale_account(account, f"Stripe: {error}", at=at))
    start, end = account.current_period_start, account.current_period_end
    if start is None or end is None:
        return query
    query.current, query.closed = Span(start, end), _find_closed(running, start)
    since = at - INVOICE_LOOKBACK
    # Before an older subscription there is nothing within the compared time.
    if running is None or running.current.started_at >= since or query.closed is None:
        last_period = find_last_billed_period(account, since=since)
        query.ended = last_period if query.closed is None else None
        query.gap = _find_gap(account, running, last_period, at=at)
    for span in query.spans:
        first, last = clip_to_now(span, at=at).minutes
        if first < last:
            query.held[span] = pool.submit(
                count_metered_between,
                stripe_customer_id=account.stripe_customer_id or "",
                start=first,
                end=last,
            )
    return query


def _find_gap(
    account: BillingAccount, running: RunningSubscriptions | None, ended: BilledPeriod | None, *, at: datetime
) -> Span | None:
    """Return the time from the end of the last ended subscription to the start of the next, or to now."""
    if ended is None or account.current_period_start is None:
        return None
    if ended.subscription_id == account.subscription_id:
        return Span(ended.span.end, at)
    # Not the start of the current period: a plan change starts a new period, but no new subscription.
    return Span(ended.span.end, running.current.started_at if running else account.current_period_start)


def _find_closed(running: RunningSubscriptions | None, start: datetime) -> Span | None:
    """Return the period before the current one, or None if the subscription did not exist then."""
    if running is None or running.current.started_at >= start:
        return None
    return Span(find_period(anchor=running.current.anchor_at, at=start - timedelta(seconds=1))[0], start)
