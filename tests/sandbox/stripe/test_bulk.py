"""Seeding a large account in one call: consistent objects, fast reads."""

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop

DAY = 86400


class TestSeed:
    def test_makes_paying_customers_with_usage(self, sandbox: StripeSandbox, shop: Shop) -> None:
        keys = (shop.monthly.lookup_key, shop.beyond_sixty.id)
        made = sandbox.control.seed(subscriptions=3, events_each=61, prices=keys)["customers"]
        sandbox.control.advance(days=32)
        for customer in made:
            totals = [each.total for each in shop.v1.invoices.list({"customer": customer}).data]
            assert totals == [49900 + 800, 49900]
        assert {each["status"] for each in sandbox.control.objects("subscription")} == {"active"}

    def test_announces_nothing(self, sandbox: StripeSandbox, shop: Shop) -> None:
        prices = (shop.by_the_piece.id,)
        before = len(sandbox.control.events())
        sandbox.control.seed(subscriptions=2, events_each=2, prices=prices)
        assert len(sandbox.control.events()) == before

    def test_spreads_usage_over_past_days(self, sandbox: StripeSandbox, shop: Shop) -> None:
        prices = (shop.by_the_piece.id,)
        (ada,) = sandbox.control.seed(subscriptions=1, events_each=30, days=10, prices=prices)["customers"]
        end = sandbox.control.now() // DAY * DAY + DAY
        span = {"customer": ada, "start_time": end - 12 * DAY, "end_time": end}
        span |= {"value_grouping_window": "day", "limit": 100}
        found = shop.v1.billing.meters.event_summaries.list(shop.meter.id, span).data
        assert (len(found), sum(each.aggregated_value for each in found)) == (12, 30)

    def test_has_a_price_of_its_own(self, sandbox: StripeSandbox) -> None:
        sandbox.control.seed(subscriptions=1, events_each=1)
        assert sandbox.control.objects("billing.meter")[0]["event_name"] == "seeded_usage"

    def test_leaves_nothing_behind_when_a_price_is_unknown(self, sandbox: StripeSandbox) -> None:
        with pytest.raises(Exception, match="No such price"):
            sandbox.control.seed(subscriptions=1, prices=("price_none",))
        assert "customer" not in sandbox.control.state()

    def test_announces_again_afterwards(self, sandbox: StripeSandbox, client: stripe.StripeClient) -> None:
        sandbox.control.seed(subscriptions=1)
        client.v1.customers.create({})
        assert [each["type"] for each in sandbox.control.events()] == ["customer.created"]
