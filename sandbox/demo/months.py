"""Calendar months, as Stripe counts them."""

from datetime import datetime, timedelta


def month_before(moment: datetime) -> datetime:
    """Return the latest time whose month ends at `moment` or later.

    This is the same day of the previous month. If that month is too short, it is the first day of the
    moment's own month, and the month ends a few days after `moment`.
    """
    last_of_before = moment.replace(day=1) - timedelta(days=1)
    if moment.day > last_of_before.day:
        return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return last_of_before.replace(day=moment.day)
