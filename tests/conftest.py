"""Fixtures of every test. Two customers: Alice's and Bob's Acme, and Mallory's Other."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import hypothesis
import pytest
import requests
import stripe
from django.core.cache import cache
from django.db import connection
from django.test import Client

from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.meter import find_meter_id
from core.api import limiter
from customers.models import Customer
from customers.services.manage_keys import create_api_key

from .billing.billing_env import billing_env, stripe_snapshots  # noqa: F401 - fixtures
from .databases import lend_database
from .factories import CustomerFactory
from .staff import StaffBrowser, make_staff, open_staff_browser
from .tenants import alice, bob, mallory  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from sandbox.stripe.server import StripeSandbox


# CI tests the same examples every time, a developer's run tests new ones. No example has a time limit.
NO_DEADLINE: Any = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("new", **NO_DEADLINE)
hypothesis.settings.register_profile("ci", derandomize=True, **NO_DEADLINE)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "new")


@dataclass
class ApiClient:
    """The requests of the Action: JSON over HTTP with a key."""

    key: str
    customer: Customer | None = None

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self._call("post", path, body, content_type="application/json", headers=headers)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self._call("get", path, query or {}, headers=headers)

    def _call(self, method: str, path: str, body: Any, *, headers: dict[str, str], **options: Any) -> Any:
        sent = {"X-API-Key": self.key} | {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(Client(raise_request_exception=False, enforce_csrf_checks=True), method)(
            path, body, headers=sent, **options
        )


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Create the tests' database, in place of pytest-django's fixture."""
    lent = ExitStack()
    with django_db_blocker.unblock():
        lent.enter_context(lend_database())
    yield
    with django_db_blocker.unblock():
        lent.close()


@pytest.fixture(autouse=True, scope="session")
def retries_without_pauses() -> Iterator[None]:
    """Let Stripe's SDK retry as in production, without its pauses of half a second and more."""
    with mock.patch.object(stripe.HTTPClient, "_sleep_time_seconds", lambda *_: 0.0):
        yield


@pytest.fixture(autouse=True)
def fresh_counters() -> None:
    cache.clear()
    limiter.in_process.clear()


@pytest.fixture
def customer(db: None) -> Customer:
    """A new customer. Below tests/billing it is on a plan: see `plan` there."""
    return CustomerFactory()


@pytest.fixture
def acme(db: None) -> Customer:
    """The customer of Alice and Bob."""
    return CustomerFactory(name="Acme")


@pytest.fixture
def stranger(db: None) -> Customer:
    """The customer of Mallory."""
    return CustomerFactory(name="Other")


@pytest.fixture
def alice_api(acme: Customer) -> ApiClient:
    """The Action of Alice's customer."""
    return make_client(acme)


@pytest.fixture
def mallory_api(stranger: Customer) -> ApiClient:
    """The Action of Mallory's customer, which must see nothing of Alice's."""
    return make_client(stranger)


@pytest.fixture
def staff(db: None) -> StaffBrowser:
    """A superuser's browser, logged in with two steps."""
    return open_staff_browser(make_staff(is_superuser=True))


@pytest.fixture
def onlooker(db: None) -> StaffBrowser:
    """The browser of staff who may view everything and change nothing."""
    return open_staff_browser(make_staff("view_*"))


def make_client(customer: Customer) -> ApiClient:
    return ApiClient(key=create_api_key(customer=customer, name="test").raw, customer=customer)


@pytest.fixture(scope="session")
def stripe_server() -> Iterator["StripeSandbox"]:
    from sandbox.stripe.server import StripeSandbox

    # No event is delivered: tests post them, with BillingEnv.deliver.
    with StripeSandbox(retry_delays=()) as server:
        yield server


@pytest.fixture
def stripe_sandbox(stripe_server: "StripeSandbox", settings: Any, monkeypatch: Any) -> "StripeSandbox":
    """Return an empty Stripe sandbox, and point our gateway and dj-stripe at it."""
    stripe_server.reset()
    settings.STRIPE_API_BASE = stripe_server.url
    monkeypatch.setattr(stripe, "api_base", stripe_server.url)
    # Looking for a proxy in the environment takes as long as a request to the sandbox.
    monkeypatch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: {})
    get_client.cache_clear()
    find_meter_id.cache_clear()
    return stripe_server


def pytest_collection_finish() -> None:
    """Exempt what collection made from garbage collection.

    Thousands of tests are alive until the end. A full collection would walk through them each time: most of a
    second of CPU, charged to whatever test runs, also to those that measure CPU.
    """
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `services` without PostgreSQL and Redis."""
    from django.conf import settings

    if connection.vendor == "postgresql" and settings.REDIS_URL:
        return
    skip = pytest.mark.skip(reason="needs PostgreSQL and Redis: make test-services")
    for item in items:
        if item.get_closest_marker("services"):
            item.add_marker(skip)
