"""A draft is final an hour after `invoice.created` was answered, or 72 hours after it."""

from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import Shop

HOUR = 3600
ATTEMPTS = 4  # of the fixture's sandbox


@dataclass
class Renewal:
    """A subscription with usage whose period has ended a minute ago."""

    sandbox: StripeSandbox
    shop: Shop
    customer: Any
    ended_at: int

    def find_status(self, *, after: int) -> str:
        """Return the status of the renewal's invoice some seconds after the period's end."""
        self.sandbox.control.set_to(self.ended_at + after)
        return str(self.shop.invoices(self.customer)[0].status)


def renew(sandbox: StripeSandbox, shop: Shop) -> Renewal:
    ada = shop.customer()
    ended_at = shop.subscribe(ada, shop.by_the_piece)["items"].data[0].current_period_end
    shop.fix(ada)
    sandbox.control.set_to(ended_at + 60)
    assert sandbox.control.flush() == 0
    return Renewal(sandbox, shop, ada, ended_at)


class TestDraft:
    def test_is_final_an_hour_after_an_answer(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        sandbox.control.add_webhook(receiver.url)
        renewal = renew(sandbox, shop)
        assert renewal.find_status(after=HOUR - 60) == "draft"
        assert renewal.find_status(after=HOUR) == "paid"

    def test_waits_for_the_answer_to_a_later_attempt(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        sandbox.control.add_webhook(receiver.url, events=("invoice.created",))
        receiver.answers = [503]
        renewal = renew(sandbox, shop)
        assert renewal.find_status(after=HOUR + 30) == "draft"
        assert renewal.find_status(after=HOUR + 120) == "paid"

    def test_that_nobody_answers_is_final_after_72_hours(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        sandbox.control.add_webhook(receiver.url, events=("invoice.created",))
        receiver.answers = [503] * ATTEMPTS
        renewal = renew(sandbox, shop)
        assert renewal.find_status(after=72 * HOUR - 60) == "draft"
        assert renewal.find_status(after=72 * HOUR) == "paid"

    def test_waits_for_every_endpoint(self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver) -> None:
        sandbox.control.add_webhook(receiver.url)
        sandbox.control.add_webhook("http://127.0.0.1:9/", events=("invoice.*", "invoice.created"))
        renewal = renew(sandbox, shop)
        assert renewal.find_status(after=71 * HOUR) == "draft"

    @pytest.mark.parametrize("event", ["invoice.paid", "invoice.finalized"])
    def test_waits_for_no_endpoint_of_other_events(
        self, sandbox: StripeSandbox, shop: Shop, event: str
    ) -> None:
        sandbox.control.add_webhook("http://127.0.0.1:9/", events=(event,))
        assert renew(sandbox, shop).find_status(after=HOUR) == "paid"

    def test_is_final_an_hour_after_the_periods_end_if_the_clock_passes_both(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        sandbox.control.add_webhook(receiver.url)
        ada = shop.customer()
        shop.subscribe(ada, shop.by_the_piece)
        sandbox.control.advance(days=32)
        assert shop.invoices(ada)[0].status == "paid"
