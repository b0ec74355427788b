"""dj-stripe stores the sandbox's objects completely."""

from typing import Any

import pytest
import stripe
from djstripe import models

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import KEY, Shop

KINDS: dict[str, Any] = {
    "product": models.Product,
    "price": models.Price,
    "payment_method": models.PaymentMethod,
    "customer": models.Customer,
    "setup_intent": models.SetupIntent,
    "subscription": models.Subscription,
    "invoice": models.Invoice,
    "payment_intent": models.PaymentIntent,
    "charge": models.Charge,
    "refund": models.Refund,
    "dispute": models.Dispute,
    "balance_transaction": models.BalanceTransaction,
    "checkout.session": models.Session,
}


def live_through_everything(sandbox: StripeSandbox, shop: Shop) -> None:
    ada = shop.customer()
    shop.v1.customers.update(ada.id, {"balance": -700})
    shop.v1.setup_intents.create({"customer": ada.id, "payment_method": "pm_card_visa", "confirm": True})
    shop.subscribe(ada, shop.monthly, shop.beyond_sixty)
    sandbox.control.advance(days=32)
    charges = sandbox.control.objects("charge")
    shop.v1.refunds.create({"charge": charges[0]["id"], "amount": 100})
    dispute = sandbox.control.dispute(charges[1]["id"])
    sandbox.control.close_dispute(dispute["id"], won=True)
    line = {"price": shop.monthly.id, "quantity": 1}
    done = "https://example.com"
    given = {"mode": "subscription", "customer": ada.id, "line_items": [line], "success_url": done}
    sandbox.control.complete_checkout(shop.v1.checkout.sessions.create(given).id)


def as_sdk_object(record: dict[str, Any]) -> Any:
    return stripe.Event.construct_from({"object": "event", "data": {"object": record}}, KEY).data.object


@pytest.mark.django_db
def test_takes_every_kind(stripe_sandbox: StripeSandbox) -> None:
    urls: Any = {"api": stripe_sandbox.url, "meter_events": stripe_sandbox.url}
    live_through_everything(stripe_sandbox, Shop(stripe.StripeClient(KEY, base_addresses=urls)))
    for kind, model in KINDS.items():
        found = stripe_sandbox.control.objects(kind)
        assert found, kind
        for each in found:
            model.sync_from_stripe_data(as_sdk_object(each))
        assert set(model.objects.values_list("id", flat=True)) >= {each["id"] for each in found}, kind
