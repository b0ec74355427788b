"""Trouble on demand, and what a caller who tries again gets."""

import time

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import KEY, Shop

ONCE = {"idempotency_key": "order-1"}


class TestCuts:
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

    def test_a_500_may_come_after_the_work(self, sandbox: StripeSandbox, shop: Shop) -> None:
        sandbox.control.add_fault("status", status=500, after=True, path="/v1/customers")
        with pytest.raises(stripe.APIError):
            shop.v1.customers.create({}, ONCE)
        shop.v1.customers.create({}, ONCE)
        assert sandbox.control.state()["customer"] == 1


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


def test_unknown_kinds_are_refused(sandbox: StripeSandbox) -> None:
    with pytest.raises(ValueError, match="unknown fault kind"):
        sandbox.control.add_fault("earthquake")
