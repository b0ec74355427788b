"""Stripe's documented test cards: which can be attached, and which can be charged."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop


class TestAttach:
    @pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_mastercard", "pm_card_chargeCustomerFail"])
    def test_works(self, shop: Shop, card: str) -> None:
        ada = shop.customer(card=None)
        method = shop.v1.payment_methods.attach(card, {"customer": ada.id})
        assert [each.id for each in shop.v1.payment_methods.list({"customer": ada.id}).data] == [method.id]

    @pytest.mark.parametrize(
        ("card", "code", "decline_code"),
        [
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ],
    )
    def test_is_declined(self, shop: Shop, card: str, code: str, decline_code: str) -> None:
        with pytest.raises(stripe.CardError) as rejected:
            shop.v1.payment_methods.attach(card, {"customer": shop.customer(card=None).id})
        assert rejected.value.http_status == 402
        error: Any = rejected.value.error
        assert (error.code, error.decline_code) == (code, decline_code)

    def test_by_number(self, shop: Shop) -> None:
        card = {"number": "4242424242424242", "exp_month": 4, "exp_year": 2031, "cvc": "123"}
        method = shop.v1.payment_methods.create({"type": "card", "card": card})
        assert (method.card.last4, method.card.exp_year) == ("4242", 2031)

    def test_a_card_belongs_to_one_customer(self, shop: Shop) -> None:
        ada, bob = shop.customer(), shop.customer(card=None)
        method = shop.v1.payment_methods.list({"customer": ada.id}).data[0]
        with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
            shop.v1.payment_methods.attach(method.id, {"customer": bob.id})


class TestDetach:
    def test_is_no_longer_the_default(self, shop: Shop) -> None:
        ada = shop.customer()
        shop.v1.payment_methods.detach(ada.invoice_settings.default_payment_method)
        assert shop.v1.customers.retrieve(ada.id).invoice_settings.default_payment_method is None


class TestDefault:
    def test_must_be_the_customers_own(self, shop: Shop) -> None:
        ada, bob = shop.customer(), shop.customer()
        theirs = bob.invoice_settings.default_payment_method
        with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
            shop.v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": theirs}})


class TestThreeDSecure:
    def test_waits_for_the_person(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card="pm_card_threeDSecure2Required")
        subscription = shop.subscribe(ada, shop.monthly)
        invoice = shop.v1.invoices.retrieve(subscription.latest_invoice, {"expand": ["payments"]})
        intent = shop.v1.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
        assert (subscription.status, intent.status) == ("incomplete", "requires_action")
        sandbox.control.authenticate(intent.id)
        assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"
