from datetime import UTC, datetime

import pytest

from billing.stripe_gateway.snapshots import parse_subscription

BEGAN, RENEWED, END = 1_800_000_000, 1_802_592_000, 1_805_270_400


def parse(*, start: int, created: int, anchor: int = BEGAN):
    """Parse a subscription that began at BEGAN, with one item in a period from `start`."""
    price = {"id": "price_1", "product": "prod_1", "recurring": {"usage_type": "metered"}}
    period = {"current_period_start": start, "current_period_end": END}
    return parse_subscription(
        {
            "id": "sub_1",
            "customer": "cus_1",
            "status": "active",
            "created": BEGAN,
            "start_date": BEGAN,
            "billing_cycle_anchor": anchor,
            "items": {"data": [{"price": price, "created": created, **period}]},
        }
    )


class TestCurrentPeriodStart:
    @pytest.mark.parametrize(
        ("start", "created", "anchor", "expected"),
        [
            pytest.param(BEGAN, BEGAN, BEGAN, BEGAN, id="created with the subscription"),
            pytest.param(BEGAN, BEGAN + 1, BEGAN, BEGAN, id="created a second late"),
            pytest.param(BEGAN + 900, BEGAN + 901, BEGAN + 900, BEGAN + 900, id="a late one of a new month"),
            pytest.param(RENEWED, BEGAN + 1, BEGAN, RENEWED, id="renewed"),
            pytest.param(BEGAN, BEGAN + 900, BEGAN, BEGAN + 900, id="added within the first period"),
            pytest.param(RENEWED, RENEWED + 1, BEGAN, RENEWED + 1, id="added right after a renewal"),
        ],
    )
    def test_is_that_of_the_period_or_of_an_added_item(self, start, created, anchor, expected):
        found = parse(start=start, created=created, anchor=anchor)
        assert found.current_period_start == datetime.fromtimestamp(expected, UTC)
