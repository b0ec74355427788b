"""Months as Stripe counts them: from an anchor, in UTC, the 31st falling on a short month's last day. Pure.

Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

import calendar
from datetime import UTC, datetime


def add_months(anchor: datetime, months: int) -> datetime:
    """The anchor so many months later or earlier; it comes back to its own day where a month has one."""
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))


def find_period(*, anchor: datetime, at: datetime) -> tuple[datetime, datetime]:
    """The month `[start, end)` that an instant lies in, whatever zone both are given in. In UTC."""
    anchor, at = anchor.astimezone(UTC), at.astimezone(UTC)
    months = (at.year - anchor.year) * 12 + at.month - anchor.month
    while add_months(anchor, months) > at:
        months -= 1
    return add_months(anchor, months), add_months(anchor, months + 1)
