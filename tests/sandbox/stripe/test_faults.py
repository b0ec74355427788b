"""Injected faults, and the responses to retries."""

import time

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import KEY, Shop

ONCE = {"idempotency_key": "order-1"}


class TestCutConnections:
    def test_cut_after_leaves_the_work_and_a_retry_finds_it(self, sandbox: StripeSandbox, shop: Shop) -> None:
        sandbox.control.add_fault("cut_after", method="POST", path="/v1/customers")
        with pytest.raises(stripe.APIConnectionError):
            shop.v1.customers.create({"email": "ada@example.com"}, ONCE)
        again = shop.v1.customers.create({"email": "ada@example.com"}, ONCE)
        assert [each["id"] for each in sandbox.control.objects("customer")] == [again.id]

    def test_cut_before_leaves_nothing(self, sandbox: StripeSandbox, shop: Shop) -> None:
        sandbox.control.add_fault("cut_before", path="/v1/customers")
        with pytest.raises(stripe.APIConnectionError):
            shop.v1.customers.create({}, ONCE)
        assert "customer" not in sandbox.control.state()

    def test_the_sdk_retries_by_itself(self, sandbox: StripeSandbox) -> None:
        sandbox.control.add_fault("cut_after", path="/v1/customers")
        client = stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}, max_network_retries=2)
        client.v1.customers.create({})
        assert sandbox.control.state()["customer"] == 1


class TestStatus:
    def test_too_many_requests(self, sandbox: StripeSandbox, shop: Shop) -> None:
        sandbox.control.add_fault("status", status=429, path="/v1/customers*", times=2)
        for _ in range(2):
            with pytest.raises(stripe.RateLimitError):
                shop.v1.customers.list()
        assert shop.v1.customers.list().data == []

    @pytest.mark.parametrize(("after", "done"), [(False, 0), (True, 1)])
    def test_a_500_is_the_keys_answer_from_then_on(
        self, sandbox: StripeSandbox, shop: Shop, after: bool, done: int
    ) -> None:
        sandbox.control.add_fault("status", status=500, after=after, path="/v1/customers")
        for replayed in (None, "true"):
            with pytest.raises(stripe.APIError) as failed:
                shop.v1.customers.create({}, ONCE)
            assert failed.value.http_status == 500
            assert failed.value.headers.get("Idempotent-Replayed") == replayed
        assert sandbox.control.state().get("customer", 0) == done

    def test_another_key_gets_past_a_500(self, sandbox: StripeSandbox, shop: Shop) -> None:
        sandbox.control.add_fault("status", status=500, path="/v1/customers")
        with pytest.raises(stripe.APIError):
            shop.v1.customers.create({}, ONCE)
        assert shop.v1.customers.create({}, {"idempotency_key": "order-1-again"}).object == "customer"

    @pytest.mark.parametrize("status", [409, 429])
    def test_a_rejection_for_now_is_not_kept(self, sandbox: StripeSandbox, shop: Shop, status: int) -> None:
        sandbox.control.add_fault("status", status=status, path="/v1/customers")
        with pytest.raises(stripe.StripeError):
            shop.v1.customers.create({}, ONCE)
        assert shop.v1.customers.create({}, ONCE).object == "customer"

    def test_a_500_before_a_known_answer_leaves_it(self, sandbox: StripeSandbox, shop: Shop) -> None:
        first = shop.v1.customers.create({}, ONCE)
        sandbox.control.add_fault("status", status=500, path="/v1/customers")
        with pytest.raises(stripe.APIError):
            shop.v1.customers.create({}, ONCE)
        assert shop.v1.customers.create({}, ONCE).id == first.id


def test_latency_is_felt(sandbox: StripeSandbox, shop: Shop) -> None:
    sandbox.control.add_fault("latency", ms=120)
    started = time.monotonic()
    shop.v1.customers.list()
    assert time.monotonic() - started >= 0.12


def test_chance_is_repeatable(sandbox: StripeSandbox, shop: Shop) -> None:
    def outcomes() -> list[int]:
        sandbox.control.clear_faults()
        sandbox.control.add_fault("status", status=500, times=None, probability=0.5, seed=7)
        for _ in range(8):
            try:
                shop.v1.customers.list()
            except stripe.APIError:
                continue
        return [each["status"] for each in sandbox.control.requests()[-8:]]

    first = outcomes()
    assert first == outcomes()
    assert set(first) == {200, 500}


def test_unknown_kinds_are_rejected(sandbox: StripeSandbox) -> None:
    with pytest.raises(ValueError, match="unknown fault kind"):
        sandbox.control.add_fault("earthquake")
