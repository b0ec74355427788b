"""The last period of a subscription that has ended, cut off where it was ended at once."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import BillingAccount
from billing.services.reconciliation.compare_usage import Span
from billing.stripe_gateway.mirrored import list_subscriptions_of


@dataclass(frozen=True)
class BilledPeriod:
    subscription_id: str
    span: Span


def find_last_billed_period(account: BillingAccount, *, since: datetime) -> BilledPeriod | None:
    """Of the subscription to one of our plans that ended last, unless before `since`; as mirrored.

    Not of one that ended beside the account's own: what runs twice is told apart elsewhere.
    """
    start = account.current_period_start
    found = []
    for each in list_subscriptions_of(account.stripe_customer_id):
        if each.status != "canceled" or each.plan is None or each.ended_at is None:
            continue
        is_own = each.subscription_id == account.subscription_id
        is_before = is_own or (start is not None and each.ended_at <= start)
        if is_before and each.ended_at >= since and each.current_period_start is not None:
            found.append(BilledPeriod(each.subscription_id, Span(each.current_period_start, each.ended_at)))
    return max(found, key=lambda stretch: stretch.span.end, default=None)
