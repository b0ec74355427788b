"""Credit and debt on a customer's balance, which the next finalized invoice applies."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop


def credit(shop: Shop, customer: Any, cents: int) -> Any:
    given = {"amount": -cents, "currency": "usd", "description": "Sorry", "metadata": {"why": "outage"}}
    return shop.v1.customers.balance_transactions.create(customer.id, given)


def kinds(shop: Shop, customer: Any) -> list[tuple[str, int, int]]:
    found = shop.v1.customers.balance_transactions.list(customer.id).data
    return [(each.type, each.amount, each.ending_balance) for each in found]


class TestBalanceTransaction:
    def test_changes_the_balance(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        made = credit(shop, ada, 2000)
        assert (made.object, made.type, made.ending_balance) == (
            "customer_balance_transaction",
            "adjustment",
            -2000,
        )
        assert shop.v1.customers.retrieve(ada.id).balance == -2000
        (event,) = sandbox.control.events("customer.updated")
        assert event["data"]["previous_attributes"]["balance"] == 0

    def test_is_listed_and_found_by_its_customer_only(self, shop: Shop) -> None:
        ada, bob = shop.customer(), shop.customer()
        made = credit(shop, ada, 500)
        assert shop.v1.customers.balance_transactions.retrieve(ada.id, made.id).metadata.why == "outage"
        assert kinds(shop, bob) == []
        with pytest.raises(stripe.InvalidRequestError):
            shop.v1.customers.balance_transactions.retrieve(bob.id, made.id)

    def test_keeps_to_one_currency(self, shop: Shop) -> None:
        ada = shop.customer()
        credit(shop, ada, 500)
        with pytest.raises(stripe.InvalidRequestError, match="currency"):
            shop.v1.customers.balance_transactions.create(ada.id, {"amount": 1, "currency": "eur"})

    def test_may_be_made_by_setting_the_balance(self, shop: Shop) -> None:
        ada = shop.v1.customers.create({"balance": -300})
        shop.v1.customers.update(ada.id, {"balance": -100})
        assert kinds(shop, ada) == [("adjustment", 200, -100), ("initial", -300, -300)]


class TestFinalInvoice:
    def test_takes_the_credit_along(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        credit(shop, ada, 1000)
        shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada)
        sandbox.control.advance(days=32)
        (invoice,) = shop.invoices(ada)
        assert (invoice.total, invoice.starting_balance, invoice.ending_balance) == (1500, -1000, 0)
        assert (invoice.amount_due, invoice.amount_paid, invoice.status) == (500, 500, "paid")
        assert kinds(shop, ada)[0] == ("applied_to_invoice", 1000, 0)

    def test_leaves_credit_that_is_too_large(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card=None)
        credit(shop, ada, 60000)
        subscription = shop.subscribe(ada, shop.monthly)
        (invoice,) = shop.invoices(ada)
        assert (invoice.amount_due, invoice.ending_balance, invoice.status) == (0, -10100, "paid")
        assert subscription.status == "active"
        assert shop.v1.customers.retrieve(ada.id).balance == -10100
        assert sandbox.control.objects("charge") == []

    def test_takes_debt_along(self, shop: Shop) -> None:
        ada = shop.customer()
        shop.v1.customers.balance_transactions.create(ada.id, {"amount": 700, "currency": "usd"})
        shop.subscribe(ada, shop.monthly)
        assert (shop.invoices(ada)[0].amount_due, shop.v1.customers.retrieve(ada.id).balance) == (50600, 0)

    def test_turns_a_sum_too_small_to_charge_into_debt(self, shop: Shop) -> None:
        ada = shop.customer()
        credit(shop, ada, 49880)
        shop.subscribe(ada, shop.monthly)
        (invoice,) = shop.invoices(ada)
        assert (invoice.amount_due, invoice.ending_balance, invoice.status) == (0, 20, "paid")
        assert kinds(shop, ada)[:2] == [("invoice_too_small", 20, 20), ("applied_to_invoice", 49880, 0)]

    def test_returns_it_when_voided(self, shop: Shop) -> None:
        ada = shop.customer("pm_card_chargeCustomerFail")
        credit(shop, ada, 1000)
        shop.subscribe(ada, shop.monthly)
        shop.v1.invoices.void_invoice(shop.invoices(ada)[0].id)
        assert kinds(shop, ada)[0] == ("unapplied_from_invoice", -1000, -1000)


class TestDraft:
    def test_shows_the_balance_of_the_moment(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada)
        sandbox.control.set_to(subscription["items"].data[0].current_period_end)
        credit(shop, ada, 400)
        (draft,) = shop.invoices(ada)
        assert (draft.status, draft.starting_balance, draft.ending_balance) == ("draft", -400, None)
        assert draft.amount_due == 1100
