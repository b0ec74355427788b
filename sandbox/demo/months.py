"""Calendar months, as Stripe counts them."""

from datetime import datetime, timedelta


def month_before(moment: datetime) -> datetime:
    """The latest moment from which a month lasts at least until this one.

    The same day of the month before; where that month is too short, the first of the moment's own month,
    from which the month lasts a little longer.
    """
    last_of_before = moment.replace(day=1) - timedelta(days=1)
    if moment.day > last_of_before.day:
        return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return last_of_before.replace(day=moment.day)
