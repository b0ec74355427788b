"""Idempotency keys: a repeated request gets the stored response for a day."""

import threading

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import KEY, Shop

ONCE = {"idempotency_key": "order-1"}


def test_replays_the_answer(sandbox: StripeSandbox, shop: Shop) -> None:
    first = shop.v1.customers.create({"email": "ada@example.com"}, ONCE)
    second = shop.v1.customers.create({"email": "ada@example.com"}, ONCE)
    assert first.id == second.id
    assert sandbox.control.state()["customer"] == 1
    assert second.last_response.headers["Idempotent-Replayed"] == "true"


def test_rejects_other_parameters(shop: Shop) -> None:
    shop.v1.customers.create({"email": "ada@example.com"}, ONCE)
    with pytest.raises(stripe.IdempotencyError) as rejected:
        shop.v1.customers.create({"email": "bob@example.com"}, ONCE)
    assert rejected.value.http_status == 400


def test_replays_a_declined_card(shop: Shop) -> None:
    ada = shop.customer()
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            shop.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": ada.id}, ONCE)


def test_does_not_remember_rejected_parameters(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.customers.create({"nonsense": "1"}, ONCE)
    assert shop.v1.customers.create({"email": "ada@example.com"}, ONCE).email == "ada@example.com"


def test_forgets_after_a_day(sandbox: StripeSandbox, shop: Shop) -> None:
    first = shop.v1.customers.create({}, ONCE)
    sandbox.control.advance(hours=24)
    assert shop.v1.customers.create({}, ONCE).id != first.id


def test_conflicts_while_in_flight(sandbox: StripeSandbox, shop: Shop) -> None:
    sandbox.control.add_fault("latency", path="/v1/customers", ms=300)
    slow = threading.Thread(target=lambda: shop.v1.customers.create({}, ONCE))
    slow.start()
    while not sandbox.control.faults()[0]["hits"]:
        pass
    with pytest.raises(stripe.StripeError) as rejected:
        for _ in range(100):
            shop.v1.customers.create({}, ONCE)
    slow.join()
    assert rejected.value.http_status == 409


def test_the_sdk_waits_for_the_first_answer(
    sandbox: StripeSandbox, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "_sleep_time_seconds", lambda *_: 0.3)  # tests have no pauses
    sandbox.control.add_fault("latency", path="/v1/customers", ms=200)
    slow = threading.Thread(target=lambda: shop.v1.customers.create({}, ONCE))
    slow.start()
    while not sandbox.control.faults()[0]["hits"]:
        pass
    patient = stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}, max_network_retries=2)
    again = patient.v1.customers.create({}, {"idempotency_key": "order-1"})
    slow.join()
    assert [each["id"] for each in sandbox.control.objects("customer")] == [again.id]
