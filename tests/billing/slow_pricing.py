"""A slow, independent implementation of pricing, day by day and fix by fix.

It does not use billing/pricing.py, billing/plans.py or billing/periods.py. The prices are those of the price
page.
"""

import calendar
from datetime import UTC, datetime, timedelta

FREE = {"trial": 10, "payg": 0, "teams": 60}
EACH = {"trial": 0, "payg": 1500, "teams": 800}
MONTHLY = {"trial": 0, "payg": 0, "teams": 49900}


def walk_cents(plan: str, fixes: int) -> int:
    """Return the cost of fixes in cents, counted one by one; the first ones are free."""
    cents, free = 0, FREE[plan]
    for _ in range(fixes):
        if free:
            free -= 1
        else:
            cents += EACH[plan]
    return cents


def walk_boundaries(anchor: datetime, until: datetime) -> list[datetime]:
    """Return the times at which a month ends, found by checking every day of the calendar."""
    anchor = anchor.astimezone(UTC)
    found, day = [anchor], anchor.date()
    while found[-1] <= until:
        day += timedelta(days=1)
        last = calendar.monthrange(day.year, day.month)[1]
        if day.day == (anchor.day if anchor.day <= last else last):
            found.append(datetime.combine(day, anchor.timetz()))
    return found


def walk_periods(plan: str, anchor: datetime, fixes: list[datetime]) -> dict[datetime, int]:
    """Return the cost of each month that has fixes, by its start."""
    boundaries = walk_boundaries(anchor, max(fixes, default=anchor))
    cents: dict[datetime, int] = {}
    for start, end in zip(boundaries, boundaries[1:], strict=False):
        count = 0
        for instant in fixes:
            if instant >= start and instant < end:
                count += 1
        if count:
            cents[start] = MONTHLY[plan] + walk_cents(plan, count)
    return cents
