"""Invoices at the end of a period, with correct totals, when the clock moves."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop
from tests.sandbox.stripe.test_hosted import read

MONTH_AND_A_DAY = 32


class TestPayAsYouGo:
    def test_one_fix_makes_a_month_of_fifteen_dollars(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada)
        sandbox.control.advance(days=MONTH_AND_A_DAY)
        (invoice,) = shop.invoices(ada)
        assert (invoice.total, invoice.status, invoice.amount_remaining) == (1500, "paid", 0)

    def test_nothing_is_invoiced_when_it_begins(self, shop: Shop) -> None:
        ada = shop.customer(card=None)
        subscription = shop.subscribe(ada, shop.by_the_piece)
        assert (subscription.status, subscription.latest_invoice) == ("active", None)


class TestTeams:
    @pytest.mark.parametrize(("fixes", "beyond"), [(0, 0), (60, 0), (61, 800), (70, 8000)])
    def test_sixty_fixes_are_free_each_month(
        self, sandbox: StripeSandbox, shop: Shop, fixes: int, beyond: int
    ) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.monthly, shop.beyond_sixty)
        shop.fix(ada, fixes)
        sandbox.control.advance(days=MONTH_AND_A_DAY)
        renewal, first = shop.invoices(ada)
        assert (first.total, renewal.total) == (49900, 49900 + beyond)


class TestDraft:
    def test_follows_late_usage_of_its_period(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        ends = subscription["items"].data[0].current_period_end
        sandbox.control.set_to(ends + 60)
        shop.fix(ada, timestamp=ends - 1)
        shop.fix(ada, timestamp=ends)
        (invoice,) = shop.invoices(ada)
        assert (invoice.status, invoice.total) == ("draft", 1500)

    def test_is_final_an_hour_later(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        ends = subscription["items"].data[0].current_period_end
        shop.fix(ada)
        sandbox.control.set_to(ends + 3600)
        shop.fix(ada, timestamp=ends - 1)
        (invoice,) = shop.invoices(ada)
        assert (invoice.status, invoice.total) == ("paid", 1500)


class TestLines:
    def test_say_what_they_are_for(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        item = subscription["items"].data[0]
        shop.fix(ada, 3)
        sandbox.control.advance(days=MONTH_AND_A_DAY)
        (invoice,) = shop.invoices(ada)
        (line,) = invoice.lines.data
        assert (line.quantity, line.amount) == (3, 4500)
        assert line.pricing.price_details.price == shop.by_the_piece.id
        assert line.parent.subscription_item_details.subscription_item == item.id
        assert (line.period.start, line.period.end) == (item.current_period_start, item.current_period_end)
        assert invoice.parent.subscription_details.subscription == subscription.id

    def test_negative_usage_counts_as_none(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, -5)
        sandbox.control.advance(days=MONTH_AND_A_DAY)
        assert shop.invoices(ada)[0].total == 0


class TestManyLines:
    AMOUNTS = list(range(100, 1300, 100))

    def subscribe(self, shop: Shop) -> Any:
        """Subscribe a customer to twelve prices."""
        monthly = {"currency": "usd", "product": shop.product.id, "recurring": {"interval": "month"}}
        prices = [shop.v1.prices.create({**monthly, "unit_amount": each}) for each in self.AMOUNTS]
        return shop.subscribe(shop.customer(), *prices)

    def read_amounts(self, lines: Any) -> list[int]:
        return [line.amount for line in lines]

    def test_are_embedded_up_to_ten_and_come_by_page(self, shop: Shop) -> None:
        invoice = shop.v1.invoices.retrieve(self.subscribe(shop).latest_invoice)
        assert self.read_amounts(invoice.lines.data) == self.AMOUNTS[:10]
        assert (invoice.lines.has_more, invoice.lines.total_count) == (True, 12)
        pages = shop.v1.invoices.line_items.list(invoice.id, {"limit": 5})
        assert (len(pages.data), self.read_amounts(pages.auto_paging_iter())) == (5, self.AMOUNTS)
        before = {"limit": 3, "ending_before": invoice.lines.data[4].id}
        backward = shop.v1.invoices.line_items.list(invoice.id, before)
        assert (self.read_amounts(backward.data), backward.has_more) == (self.AMOUNTS[1:4], True)

    def test_are_embedded_up_to_ten_in_events_and_lists(self, sandbox: StripeSandbox, shop: Shop) -> None:
        subscription = self.subscribe(shop)
        (event,) = sandbox.control.events("invoice.created")
        assert len(event["data"]["object"]["lines"]["data"]) == 10
        (listed,) = shop.v1.invoices.list({"subscription": subscription.id}).data
        assert len(listed.lines.data) == 10

    def test_of_a_preview_come_by_page(self, shop: Shop) -> None:
        preview = shop.v1.invoices.create_preview({"subscription": self.subscribe(shop).id})
        assert len(preview.lines.data) == 10
        lines = shop.v1.invoices.line_items.list(preview.id, {"limit": 5}).auto_paging_iter()
        assert self.read_amounts(lines) == self.AMOUNTS

    def test_after_an_unknown_line_are_rejected(self, shop: Shop) -> None:
        invoice = self.subscribe(shop).latest_invoice
        with pytest.raises(stripe.InvalidRequestError, match="does not have a line item il_0"):
            shop.v1.invoices.line_items.list(invoice, {"starting_after": "il_0"})

    def test_are_all_on_the_hosted_page(self, shop: Shop) -> None:
        invoice = shop.v1.invoices.retrieve(self.subscribe(shop).latest_invoice)
        assert "$12.00" in read(invoice.hosted_invoice_url)[1]


class TestClock:
    def test_a_year_at_once_is_twelve_months(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.monthly)
        sandbox.control.advance(days=366)
        invoices = list(shop.v1.invoices.list({"customer": ada.id, "limit": 100}).data)
        assert len(invoices) == 13
        assert [invoice.period_end for invoice in invoices] == sorted(
            (invoice.period_end for invoice in invoices), reverse=True
        )

    def test_events_are_dated_when_they_happened(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        ends = shop.subscribe(ada, shop.by_the_piece)["items"].data[0].current_period_end
        sandbox.control.advance(days=60)
        assert sandbox.control.events("invoice.created")[0]["created"] == ends
        assert sandbox.control.events("invoice.paid")[0]["created"] == ends + 3600

    def test_never_goes_back(self, sandbox: StripeSandbox) -> None:
        with pytest.raises(ValueError, match="never goes back"):
            sandbox.control.set_to(sandbox.control.now() - 10)


class TestPreview:
    def test_counts_the_usage_so_far(self, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly, shop.beyond_sixty)
        shop.fix(ada, 61)
        assert shop.v1.invoices.create_preview({"subscription": subscription.id}).total == 49900 + 800


class TestManualInvoice:
    def test_finalizing_a_draft_early(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada)
        sandbox.control.set_to(subscription["items"].data[0].current_period_end)
        assert shop.v1.invoices.finalize_invoice(shop.invoices(ada)[0].id).status == "open"

    def test_paying_twice_is_rejected(self, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.monthly)
        with pytest.raises(stripe.InvalidRequestError, match="already paid"):
            shop.v1.invoices.pay(shop.invoices(ada)[0].id)
