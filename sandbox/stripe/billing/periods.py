"""Billing periods: calendar arithmetic from an anchor."""

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any


def after(anchor: int, recurring: dict[str, Any], steps: int) -> int:
    """Return the anchor moved by a number of intervals.

    The 31st falls on the last day of a shorter month, and on the 31st again in a longer one.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    count = recurring["interval_count"] * steps
    match recurring["interval"]:
        case "day":
            moved = start + timedelta(days=count)
        case "week":
            moved = start + timedelta(weeks=count)
        case "month":
            moved = _add_months(start, count)
        case _:
            moved = _add_months(start, 12 * count)
    return int(moved.timestamp())


def end_of_period(anchor: int, recurring: dict[str, Any], start: int) -> int:
    """Return the first end of a period, counted from the anchor, after `start`."""
    steps = 1
    # Always from the anchor: month by month, the 31st would become the 28th for good.
    while after(anchor, recurring, steps) <= start:
        steps += 1
    return after(anchor, recurring, steps)


def _add_months(start: datetime, months: int) -> datetime:
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))
