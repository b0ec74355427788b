"""Meter events: identifiers, validation, summaries and cancellations."""

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop

DAY = 86400


def day_of(timestamp: int) -> int:
    return timestamp - timestamp % DAY


class TestIdentifier:
    def test_counts_once_in_a_day(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.fix(ada, identifier="fix-1")
        sandbox.control.advance(hours=23)
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.fix(ada, identifier="fix-1")
        assert rejected.value.http_status == 400
        assert rejected.value.user_message == "An event already exists with identifier fix-1."

    def test_is_forgotten_after_a_day(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.fix(ada, identifier="fix-1")
        sandbox.control.advance(hours=24)
        assert shop.fix(ada, identifier="fix-1").identifier == "fix-1"

    def test_is_forgotten_at_a_settable_age(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        sandbox.control.forget_identifiers(after=2 * DAY)
        shop.fix(ada, identifier="fix-1")
        sandbox.control.advance(hours=47)
        with pytest.raises(stripe.InvalidRequestError, match="already exists"):
            shop.fix(ada, identifier="fix-1")
        sandbox.control.forget_identifiers(after=DAY)
        assert shop.fix(ada, identifier="fix-1").identifier == "fix-1"
        sandbox.reset()
        assert sandbox.env.identifier_seconds == DAY


class TestRejections:
    @pytest.mark.parametrize("value", ["1.5", "one"])
    def test_value_must_be_whole(self, shop: Shop, value: str) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="whole numbers"):
            shop.fix(shop.customer(), value)

    @pytest.mark.parametrize("shift", [-36 * DAY, 400])
    def test_timestamp_must_be_near(self, sandbox: StripeSandbox, shop: Shop, shift: int) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="timestamp"):
            shop.fix(shop.customer(), timestamp=sandbox.control.now() + shift)

    def test_customer_must_exist(self, shop: Shop) -> None:
        ada = shop.customer()
        shop.v1.customers.delete(ada.id)
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.fix(ada)
        assert rejected.value.code == "resource_missing"

    def test_meter_must_be_active(self, shop: Shop) -> None:
        shop.v1.billing.meters.deactivate(shop.meter.id)
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.fix(shop.customer())
        assert rejected.value.code == "archived_meter"

    def test_works_again_when_reactivated(self, shop: Shop) -> None:
        shop.v1.billing.meters.deactivate(shop.meter.id)
        shop.v1.billing.meters.reactivate(shop.meter.id)
        assert shop.fix(shop.customer()).object == "billing.meter_event"

    def test_event_name_belongs_to_one_meter(self, shop: Shop) -> None:
        assert shop.meter
        with pytest.raises(stripe.InvalidRequestError, match="already exists"):
            shop.v1.billing.meters.create(
                {
                    "display_name": "Twice",
                    "event_name": "fix_deployed",
                    "default_aggregation": {"formula": "sum"},
                }
            )


class TestSummaries:
    def test_sums_by_day(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada, today = shop.customer(), day_of(sandbox.control.now())
        shop.fix(ada, 2, timestamp=today - DAY + 5)
        shop.fix(ada, 3, timestamp=today - 2 * DAY)
        span = {"customer": ada.id, "start_time": today - 2 * DAY, "end_time": today}
        days = shop.v1.billing.meters.event_summaries.list(
            shop.meter.id, {**span, "value_grouping_window": "day"}
        )
        whole = shop.v1.billing.meters.event_summaries.list(shop.meter.id, span)
        assert [each.aggregated_value for each in days.data] == [2, 3]
        assert [each.aggregated_value for each in whole.data] == [5]

    def test_other_customers_do_not_count(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada, bob = shop.customer(), shop.customer()
        shop.fix(bob, timestamp=day_of(sandbox.control.now()) - 10)
        end = day_of(sandbox.control.now())
        span = {"customer": ada.id, "start_time": end - DAY, "end_time": end}
        found = shop.v1.billing.meters.event_summaries.list(shop.meter.id, span)
        assert found.data[0].aggregated_value == 0

    def test_span_must_be_aligned(self, shop: Shop) -> None:
        span = {"customer": shop.customer().id, "start_time": 61, "end_time": 120}
        with pytest.raises(stripe.InvalidRequestError, match="minute boundaries"):
            shop.v1.billing.meters.event_summaries.list(shop.meter.id, span)


class TestAdjustments:
    def cancel(self, shop: Shop, identifier: str) -> None:
        shop.v1.billing.meter_event_adjustments.create(
            {"event_name": "fix_deployed", "type": "cancel", "cancel": {"identifier": identifier}}
        )

    def test_takes_an_event_back(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, identifier="fix-1")
        shop.fix(ada, identifier="fix-2")
        self.cancel(shop, "fix-1")
        sandbox.control.advance(days=32)
        assert shop.invoices(ada)[0].total == 1500

    def test_is_too_late_after_a_day(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.fix(shop.customer(), identifier="fix-1")
        sandbox.control.advance(hours=24)
        with pytest.raises(stripe.InvalidRequestError, match="24 hours"):
            self.cancel(shop, "fix-1")

    def test_is_rejected_a_second_time(self, shop: Shop) -> None:
        shop.fix(shop.customer(), identifier="fix-1")
        self.cancel(shop, "fix-1")
        with pytest.raises(stripe.InvalidRequestError, match="already been canceled") as rejected:
            self.cancel(shop, "fix-1")
        assert (rejected.value.http_status, rejected.value.param) == (400, "cancel[identifier]")

    def test_needs_an_event(self, shop: Shop) -> None:
        shop.fix(shop.customer(), identifier="fix-1")
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            self.cancel(shop, "fix-2")
        assert rejected.value.code == "resource_missing"

    def test_changes_no_final_invoice(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        ends = shop.subscribe(ada, shop.by_the_piece)["items"].data[0].current_period_end
        sandbox.control.set_to(ends - 60)
        shop.fix(ada, identifier="fix-1")
        sandbox.control.set_to(ends + 2 * 3600)
        self.cancel(shop, "fix-1")
        sandbox.control.advance(days=32)
        assert [(each.status, each.total) for each in shop.invoices(ada)] == [("paid", 0), ("paid", 1500)]

    def test_drops_the_value_from_summaries(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada, today = shop.customer(), day_of(sandbox.control.now())
        shop.fix(ada, 2, timestamp=today - 5, identifier="fix-1")
        shop.fix(ada, 3, timestamp=today - 6)
        self.cancel(shop, "fix-1")
        span = {"customer": ada.id, "start_time": today - DAY, "end_time": today}
        (whole,) = shop.v1.billing.meters.event_summaries.list(shop.meter.id, span).data
        assert whole.aggregated_value == 3
