"""Calendar months, as Stripe counts them."""

from datetime import datetime, timedelta


def month_before(instant: datetime) -> datetime:
    """The latest instant from which a month lasts at least until this one.

    The same day of the month before; where that month is too short, the first of the instant's own month,
    from which the month lasts a little longer.
    """
    last_of_before = instant.replace(day=1) - timedelta(days=1)
    if instant.day > last_of_before.day:
        return instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return last_of_before.replace(day=instant.day)
