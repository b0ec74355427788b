"""Webhook deliveries: signatures, order, retries, and injected faults."""

import json
from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import Shop


@pytest.fixture
def secret(shop: Shop, receiver: Receiver) -> str:
    created = shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    return str(created.secret)


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


class TestDelivery:
    def test_is_signed(self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str) -> None:
        ada = shop.v1.customers.create({"email": "ada@example.com"})
        assert sandbox.control.flush() == 0
        (event,) = receiver.events(secret)
        assert (event.type, event.data.object.id) == ("customer.created", ada.id)
        assert event.api_version == "2026-08-26.dahlia"

    def test_another_secret_does_not_verify(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        shop.v1.customers.create({})
        sandbox.control.flush()
        with pytest.raises(stripe.SignatureVerificationError):
            receiver.events("whsec_other")

    def test_is_signed_now_even_when_the_clock_was_moved(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        sandbox.control.advance(days=400)
        shop.v1.customers.create({})
        sandbox.control.flush()
        assert receiver.events(secret)[0].created > sandbox.control.now() - 60

    def test_says_what_was_before(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        ada = shop.v1.customers.create({"email": "ada@example.com", "metadata": {"a": "1"}})
        shop.v1.customers.update(ada.id, {"email": "eve@example.com", "metadata": {"b": "2"}})
        sandbox.control.flush()
        before = json.loads(receiver.received[-1][0])["data"]["previous_attributes"]
        assert before == {"email": "ada@example.com", "metadata": {"b": None}}

    def test_only_what_the_endpoint_asks_for(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        endpoint = sandbox.control.add_webhook(receiver.url, events=("product.created",), secret="whsec_x")
        shop.customer()
        assert shop.product
        sandbox.control.flush()
        assert types(receiver.events(endpoint["secret"])) == ["product.created"]

    def test_a_disabled_endpoint_gets_nothing(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        endpoint = sandbox.control.add_webhook(receiver.url)
        shop.v1.webhook_endpoints.update(endpoint["id"], {"disabled": True})
        shop.customer()
        sandbox.control.flush()
        assert receiver.received == []


class TestRetries:
    def test_tries_again_until_it_is_taken(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        receiver.answers = [500, 503]
        shop.v1.customers.create({})
        assert sandbox.control.flush() == 0
        (delivery,) = sandbox.control.deliveries()
        assert (delivery["status"], delivery["attempts"], delivery["response_code"]) == ("delivered", 3, 200)
        assert len({event.id for event in receiver.events(secret)}) == 1

    def test_gives_up_in_the_end(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        receiver.answers = [500] * 4
        shop.v1.customers.create({})
        sandbox.control.flush()
        assert sandbox.control.deliveries()[0]["status"] == "failed"

    def test_later_news_of_the_same_object_wait(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        receiver.answers = [500]
        ada = shop.v1.customers.create({})
        shop.v1.customers.update(ada.id, {"name": "Ada"})
        sandbox.control.flush()
        assert types(receiver.events(secret)) == ["customer.created", "customer.created", "customer.updated"]


class TestFaults:
    def test_drop(self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str) -> None:
        sandbox.control.add_fault("webhook_drop", event="customer.*")
        shop.v1.customers.create({})
        sandbox.control.flush()
        assert receiver.received == []
        assert sandbox.control.deliveries()[0]["status"] == "dropped"

    def test_duplicate(self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str) -> None:
        sandbox.control.add_fault("webhook_duplicate")
        shop.v1.customers.create({})
        sandbox.control.flush()
        first, second = receiver.events(secret)
        assert first.id == second.id

    def test_reorder(self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str) -> None:
        sandbox.control.add_fault("webhook_reorder", event="customer.created", ms=200)
        ada = shop.v1.customers.create({})
        shop.v1.customers.update(ada.id, {"name": "Ada"})
        sandbox.control.flush()
        assert types(receiver.events(secret)) == ["customer.updated", "customer.created"]

    def test_delay_keeps_the_order(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        sandbox.control.add_fault("webhook_delay", event="customer.created", ms=100)
        ada = shop.v1.customers.create({})
        shop.v1.customers.update(ada.id, {"name": "Ada"})
        sandbox.control.flush()
        assert types(receiver.events(secret)) == ["customer.created", "customer.updated"]

    def test_drops_and_duplicates_by_the_hundred(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver, secret: str
    ) -> None:
        sandbox.control.add_fault("webhook_drop", times=None, probability=0.3, seed=1)
        sandbox.control.add_fault("webhook_duplicate", times=None, probability=0.3, seed=2)
        for _ in range(100):
            shop.v1.customers.create({})
        assert sandbox.control.flush(20) == 0
        statuses = [each["status"] for each in sandbox.control.deliveries()]
        assert len(receiver.received) == statuses.count("delivered")
        assert statuses.count("dropped") + statuses.count("delivered") == len(statuses) > 100
