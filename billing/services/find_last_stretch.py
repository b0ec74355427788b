"""The last period of a subscription that has ended, cut off where it was ended at once."""

from dataclasses import dataclass
from datetime import UTC, datetime

from djstripe.models import Subscription

from billing.models import BillingAccount
from billing.stripe_gateway import find_plan

from .compare_usage import Span
from .refresh_account import read_period


@dataclass(frozen=True)
class Stretch:
    subscription_id: str
    span: Span


def find_last_stretch(account: BillingAccount, *, since: datetime) -> Stretch | None:
    """Of the subscription to one of our plans that ended last, unless before `since`; as mirrored.

    Not of one that ended beside the account's own: what runs twice is told apart elsewhere.
    """
    start = account.current_period_start
    found = []
    canceled = Subscription.objects.filter(stripe_data__status="canceled")
    for row in canceled.filter(customer_id=account.stripe_customer_id):
        data = row.stripe_data
        if not data.get("ended_at") or find_plan(data) is None:
            continue
        ended_at = datetime.fromtimestamp(data["ended_at"], UTC)
        is_before = row.id == account.subscription_id or (start is not None and ended_at <= start)
        if is_before and ended_at >= since:
            found.append(Stretch(row.id, Span(read_period(data)[0], ended_at)))
    return max(found, key=lambda stretch: stretch.span.end, default=None)
