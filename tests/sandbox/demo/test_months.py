from datetime import UTC, datetime, timedelta

from sandbox.demo.months import month_before
from sandbox.stripe.billing.periods import end_of_period

MONTH = {"interval": "month", "interval_count": 1}


class TestMonthBefore:
    def test_its_month_ends_at_that_time_or_soon_after(self) -> None:
        for day in range(366 * 2):
            moment = datetime(2027, 1, 1, 13, 30, tzinfo=UTC) + timedelta(days=day)
            begin = int(month_before(moment).timestamp())
            end = datetime.fromtimestamp(end_of_period(begin, MONTH, begin), UTC)
            assert timedelta(0) <= end - moment < timedelta(days=3)
            assert end == moment or moment.day > 28
