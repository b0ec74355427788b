"""Usage that is accepted but cannot be counted is reported by a thin event."""

import json
from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import Shop

REPORT = "v1.billing.meter.error_report_triggered"


@pytest.fixture
def secret(sandbox: StripeSandbox, receiver: Receiver) -> str:
    return str(sandbox.control.add_webhook(receiver.url, events=(REPORT,))["secret"])


def samples(event: Any) -> list[tuple[str, str]]:
    """Read a field by key, because the SDK's objects have a method named `request`."""
    return [
        (kind.code, sample["request"]["identifier"])
        for kind in event.data.reason.error_types
        for sample in kind.sample_errors
    ]


class TestThinEvent:
    def test_is_signed_and_names_what_to_fetch(
        self,
        sandbox: StripeSandbox,
        client: stripe.StripeClient,
        shop: Shop,
        receiver: Receiver,
        secret: str,
    ) -> None:
        shop.fix(shop.customer(), identifier="fix-1")
        sandbox.control.report_meter_error(identifier="fix-1", code="meter_event_invalid_value")
        assert sandbox.control.flush() == 0
        ((body, signed),) = receiver.received
        assert "data" not in json.loads(body)
        notification: Any = client.parse_event_notification(body, signed, secret)
        assert (notification.type, notification.related_object.id) == (REPORT, shop.meter.id)
        assert notification.fetch_related_object().event_name == "fix_deployed"
        assert samples(notification.fetch_event()) == [("meter_event_invalid_value", "fix-1")]

    def test_is_fetched_whole(self, sandbox: StripeSandbox, client: stripe.StripeClient, shop: Shop) -> None:
        shop.fix(shop.customer(), identifier="fix-1")
        made = sandbox.control.report_meter_error(identifier="fix-1")
        event: Any = client.v2.core.events.retrieve(made["id"])
        assert (event.object, event.data.reason.error_count) == ("v2.core.event", 1)
        assert event.data.validation_start <= event.data.validation_end
        (listed,) = client.v2.core.events.list({"object_id": shop.meter.id}).data
        assert listed.id == event.id

    def test_goes_only_to_endpoints_that_name_it(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        shop.fix(shop.customer(), identifier="fix-1")
        sandbox.control.add_webhook(receiver.url)
        sandbox.control.report_meter_error(identifier="fix-1")
        sandbox.control.flush()
        assert receiver.received == []

    def test_takes_the_usage_out_of_the_count(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.by_the_piece)
        for identifier in ("fix-1", "fix-2"):
            shop.fix(ada, identifier=identifier)
        sandbox.control.report_meter_error(identifier="fix-1")
        sandbox.control.advance(days=32)
        assert shop.invoices(ada)[0].total == 1500


class TestMeterReject:
    def test_takes_usage_that_it_never_counts(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.by_the_piece)
        sandbox.control.add_fault("meter_reject", event="fix_deployed")
        assert shop.fix(ada, identifier="fix-1").identifier == "fix-1"
        assert sandbox.control.meter_events()[0]["rejected"] == "meter_event_customer_not_found"
        sandbox.control.advance(days=32)
        assert shop.invoices(ada)[0].total == 0

    def test_reports_a_little_later_all_at_once(
        self, sandbox: StripeSandbox, client: stripe.StripeClient, shop: Shop
    ) -> None:
        ada = shop.customer()
        sandbox.control.add_fault("meter_reject", times=2, code="archived_meter")
        for identifier in ("fix-1", "fix-2", "fix-3"):
            shop.fix(ada, identifier=identifier)
        assert client.v2.core.events.list().data == []
        sandbox.control.advance(10)
        (event,) = client.v2.core.events.list().data
        assert samples(event) == [("archived_meter", "fix-1"), ("archived_meter", "fix-2")]

    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            ({"value": "1"}, "meter_event_no_customer_defined"),
            ({"stripe_customer_id": "cus_none", "value": "1"}, "meter_event_customer_not_found"),
            ({"stripe_customer_id": "cus_none", "value": "1.5"}, "meter_event_invalid_value"),
        ],
    )
    def test_says_what_is_wrong(
        self,
        sandbox: StripeSandbox,
        client: stripe.StripeClient,
        shop: Shop,
        payload: dict[str, str],
        code: str,
    ) -> None:
        assert shop.meter
        sandbox.control.add_fault("meter_reject", code="no_meter")
        event = {"event_name": "fix_deployed", "payload": payload, "identifier": "fix-1"}
        shop.v1.billing.meter_events.create(event)
        sandbox.control.advance(10)
        assert samples(client.v2.core.events.list().data[0]) == [(code, "fix-1")]

    def test_knows_only_stripes_codes(self, sandbox: StripeSandbox) -> None:
        with pytest.raises(Exception, match="archived_meter"):
            sandbox.control.add_fault("meter_reject", code="nonsense")

    def test_leaves_nothing_to_cancel(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        sandbox.control.add_fault("meter_reject")
        shop.fix(ada, identifier="fix-1")
        cancel = {"event_name": "fix_deployed", "type": "cancel", "cancel": {"identifier": "fix-1"}}
        with pytest.raises(stripe.InvalidRequestError, match="No meter event found"):
            shop.v1.billing.meter_event_adjustments.create(cancel)
