"""A sandbox per module, reset before each test, and Stripe's SDK configured to use it."""

from collections.abc import Iterator

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import KEY, Shop


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[StripeSandbox]:
    with StripeSandbox(retry_delays=(0.02, 0.02, 0.05)) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: StripeSandbox) -> StripeSandbox:
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def client(sandbox: StripeSandbox) -> stripe.StripeClient:
    return stripe.StripeClient(
        KEY, base_addresses={"api": sandbox.url, "meter_events": sandbox.url}, max_network_retries=0
    )


@pytest.fixture
def shop(client: stripe.StripeClient) -> Shop:
    return Shop(client)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()
