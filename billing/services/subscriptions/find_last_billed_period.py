"""Find the last billed period of a subscription that has ended."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import BillingAccount
from billing.services.reconciliation.compare_usage import Span
from billing.stripe_gateway.mirrored import list_customer_subscriptions


@dataclass(frozen=True)
class BilledPeriod:
    """A subscription's last period. It ends early if the subscription was canceled immediately."""

    subscription_id: str
    span: Span


def find_last_billed_period(account: BillingAccount, *, since: datetime) -> BilledPeriod | None:
    """Return the last period of the customer's most recently ended subscription, or None before `since`.

    Reads the mirror. Considers the account's own subscription and those that ended before its current period
    started. Duplicates that ended while it was running are excluded: `end_second_subscriptions` credits them.
    """
    start = account.current_period_start
    found = []
    for each in list_customer_subscriptions(account.stripe_customer_id):
        if each.status != "canceled" or each.plan is None or each.ended_at is None:
            continue
        is_own = each.subscription_id == account.subscription_id
        is_before = is_own or (start is not None and each.ended_at <= start)
        if is_before and each.ended_at >= since and each.current_period_start is not None:
            found.append(BilledPeriod(each.subscription_id, Span(each.current_period_start, each.ended_at)))
    return max(found, key=lambda period: period.span.end, default=None)
