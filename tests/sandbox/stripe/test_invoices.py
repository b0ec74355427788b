"""Periods closed into invoices with the right totals, by moving the clock."""

import pytest

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop

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
