"""The event types that each change creates."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop

FAILING = "pm_card_chargeCustomerFail"
ASKS = "pm_card_authenticationRequired"


def subjects(sandbox: StripeSandbox, type: str) -> list[str]:
    return [event["data"]["object"]["id"] for event in sandbox.control.events(type)]


def before(sandbox: StripeSandbox, type: str) -> Any:
    return sandbox.control.events(type)[-1]["data"]["previous_attributes"]


class TestPaymentMethod:
    def test_attached_updated_detached(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card=None)
        card = shop.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
        shop.v1.payment_methods.update(card.id, {"card": {"exp_year": 2040}})
        shop.v1.payment_methods.detach(card.id)
        for type in ("attached", "updated", "detached"):
            assert subjects(sandbox, f"payment_method.{type}") == [card.id]
        assert before(sandbox, "payment_method.updated") == {"card": {"exp_year": 2034}}
        assert before(sandbox, "payment_method.detached") == {"customer": ada.id}

    def test_is_detached_when_its_customer_is_deleted(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.v1.customers.delete(ada.id)
        assert subjects(sandbox, "payment_method.detached") == [ada.invoice_settings.default_payment_method]


class TestSetupIntent:
    def test_succeeded(self, sandbox: StripeSandbox, shop: Shop) -> None:
        given = {"customer": shop.customer(card=None).id, "payment_method": "pm_card_visa", "confirm": True}
        intent = shop.v1.setup_intents.create(given)
        assert subjects(sandbox, "setup_intent.succeeded") == [intent.id]

    def test_failed_by_the_person(self, sandbox: StripeSandbox, shop: Shop) -> None:
        given = {"customer": shop.customer(card=None).id, "payment_method": ASKS, "confirm": True}
        intent = shop.v1.setup_intents.create(given)
        sandbox.control.authenticate(intent.id, success=False)
        assert subjects(sandbox, "setup_intent.setup_failed") == [intent.id]
        after = shop.v1.setup_intents.retrieve(intent.id)
        assert after.last_setup_error.code == "setup_intent_authentication_failure"


class TestPrice:
    def test_created_and_updated(self, sandbox: StripeSandbox, shop: Shop) -> None:
        price = shop.monthly
        shop.v1.prices.update(price.id, {"active": False})
        assert subjects(sandbox, "price.created") == subjects(sandbox, "price.updated") == [price.id]
        assert before(sandbox, "price.updated") == {"active": True}


class TestCheckoutSession:
    def session(self, shop: Shop) -> Any:
        return shop.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "success_url": "https://example.com/done",
                "line_items": [{"price": shop.monthly.id, "quantity": 1}],
            }
        )

    def test_completed(self, sandbox: StripeSandbox, shop: Shop) -> None:
        session = self.session(shop)
        sandbox.control.complete_checkout(session.id, email="ada@example.com")
        assert subjects(sandbox, "checkout.session.completed") == [session.id]

    @pytest.mark.parametrize("by_hand", [True, False])
    def test_expired(self, sandbox: StripeSandbox, shop: Shop, by_hand: bool) -> None:
        session = self.session(shop)
        if by_hand:
            shop.v1.checkout.sessions.expire(session.id)
        else:
            sandbox.control.advance(days=1)
        assert subjects(sandbox, "checkout.session.expired") == [session.id]


class TestCharge:
    def test_succeeded(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.subscribe(shop.customer(), shop.monthly)
        assert subjects(sandbox, "charge.succeeded") == [sandbox.control.objects("charge")[0]["id"]]

    def test_failed(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.subscribe(shop.customer(FAILING), shop.monthly)
        assert subjects(sandbox, "charge.failed") == [sandbox.control.objects("charge")[0]["id"]]


class TestInvoice:
    def test_payment_action_required(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(ASKS)
        shop.subscribe(ada, shop.monthly)
        assert subjects(sandbox, "invoice.payment_action_required") == [shop.invoices(ada)[0].id]

    def test_the_person_said_no(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.subscribe(shop.customer(ASKS), shop.monthly)
        (intent,) = sandbox.control.objects("payment_intent")
        sandbox.control.authenticate(intent["id"], success=False)
        assert subjects(sandbox, "payment_intent.payment_failed") == [intent["id"]]
        after = shop.v1.payment_intents.retrieve(intent["id"])
        assert after.last_payment_error.code == "payment_intent_authentication_failure"

    def test_every_type_is_one_of_stripes(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly, shop.beyond_sixty)
        shop.v1.subscriptions.cancel(subscription.id)
        sandbox.control.advance(days=32)
        known = str(stripe.params.WebhookEndpointCreateParams.__annotations__["enabled_events"])
        assert {each["type"] for each in sandbox.control.events()} - set(known.split("'")) == set()
