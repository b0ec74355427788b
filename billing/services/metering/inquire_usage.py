"""What Stripe is asked about one account, several calls at a time."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.models import BillingAccount
from billing.periods import find_period
from billing.services.reconciliation.compare_account import (
    RunningSubscriptions,
    describe_stale,
    end_others,
    resync_suspect,
    seems_stale,
)
from billing.services.reconciliation.compare_usage import Finding, Span, end_of_asking
from billing.services.subscriptions.find_last_billed_period import BilledPeriod, find_last_billed_period
from billing.stripe_gateway.errors import StripeRejected
from billing.stripe_gateway.meter import count_metered_between

# The current period and the one before it.
LOOKS_BACK = timedelta(days=63)
# Of invoices, those made since.
INVOICES_BACK = LOOKS_BACK / 2


@dataclass
class Inquiry:
    """One account, the periods asked about, and Stripe's answers as they come in.

    `closed` is the period before the current one; `ended` is the last of a subscription that runs no more,
    which for an account without a plan is the end of the current one. `gap` is the time without a plan.
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
        """What the meter is asked about."""
        former = self.ended.span if self.ended and not self.has_ended else None
        return [span for span in (self.current, self.closed, former) if span is not None]

    @property
    def has_ended(self) -> bool:
        """Whether the current period is of the subscription that has ended."""
        return self.ended is not None and self.ended.subscription_id == self.account.subscription_id


def inquire_usage(
    account: BillingAccount, running: RunningSubscriptions | None, *, pool: ThreadPoolExecutor, at: datetime
) -> Inquiry:
    """Make the account's state sure, then ask what the meter holds for its current and its last period.

    The meter is asked in the pool's threads, which touch no database. Calls out. Raises StripeUnavailable.
    """
    inquiry = Inquiry(account)
    try:
        if seems_stale(account, running) and (finding := resync_suspect(account, running, at=at)):
            inquiry.findings.append(finding)
        inquiry.findings += end_others(account, running, at=at)
    except StripeRejected as error:
        inquiry.findings.append(describe_stale(account, f"Stripe: {error}", at=at))
    start, end = account.current_period_start, account.current_period_end
    if start is None or end is None:
        return inquiry
    inquiry.current, inquiry.closed = Span(start, end), _find_closed(running, start)
    since = at - INVOICES_BACK
    # A subscription that is older than that has nothing before it that is looked at.
    if running is None or running.current.started_at >= since or inquiry.closed is None:
        stretch = find_last_billed_period(account, since=since)
        inquiry.ended = stretch if inquiry.closed is None else None
        inquiry.gap = _find_gap(account, running, stretch, at=at)
    for span in inquiry.spans:
        first, last = end_of_asking(span, at=at).minutes
        if first < last:
            inquiry.held[span] = pool.submit(
                count_metered_between,
                stripe_customer_id=account.stripe_customer_id or "",
                start=first,
                end=last,
            )
    return inquiry


def _find_gap(
    account: BillingAccount, running: RunningSubscriptions | None, ended: BilledPeriod | None, *, at: datetime
) -> Span | None:
    """From the end of the subscription that ended last until the next began, or until now."""
    if ended is None or account.current_period_start is None:
        return None
    if ended.subscription_id == account.subscription_id:
        return Span(ended.span.end, at)
    # A change of plan begins a period anew, not the subscription.
    return Span(ended.span.end, running.current.started_at if running else account.current_period_start)


def _find_closed(running: RunningSubscriptions | None, start: datetime) -> Span | None:
    """The period before the current one, where the subscription is that old."""
    if running is None or running.current.started_at >= start:
        return None
    return Span(find_period(anchor=running.current.anchor_at, at=start - timedelta(seconds=1))[0], start)
