"""Billing periods as Stripe counts them: months from an anchor, in UTC. No database access.

An anchor on the 31st falls on the last day of a shorter month.
Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

import calendar
from datetime import UTC, datetime


def add_months(anchor: datetime, months: int) -> datetime:
    """Return the anchor moved by a number of months, on its own day or the last day of a shorter month."""
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))


def find_period(*, anchor: datetime, at: datetime) -> tuple[datetime, datetime]:
    """Return the billing month `[start, end)` in UTC that contains `at`. Both arguments must be aware."""
    anchor, at = anchor.astimezone(UTC), at.astimezone(UTC)
    months = (at.year - anchor.year) * 12 + at.month - anchor.month
    # The difference of the calendar months is one too many while the anchor's day has not come.
    while add_months(anchor, months) > at:
        months -= 1
    # Both counted from the anchor: a month after 28 February would lose an anchor on the 31st.
    return add_months(anchor, months), add_months(anchor, months + 1)
