"""Billing's fixtures: a sandbox Stripe with our plans and webhook endpoint, its events, and the time."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.db import connections, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from djstripe.models import WebhookEndpoint

from billing.models import BillingAccount
from billing.plans import PLANS
from billing.services.subscriptions.choose_plan import choose_plan
from billing.services.webhooks.handlers import ENDPOINT_EVENTS
from billing.stripe_gateway.prices import sync_plans
from billing.stripe_gateway.webhooks import register_webhook
from customers.models import Customer
from tests.factories import CustomerFactory

if TYPE_CHECKING:
    from sandbox.stripe.server import StripeSandbox

WEBHOOK = "/api/webhooks/stripe"


@dataclass
class BillingEnv:
    """RSOLV and its sandbox Stripe, the webhooks between them, and both clocks."""

    stripe: "StripeSandbox"
    run_tasks: Callable[[], AbstractContextManager[Any]]
    time_machine: Any
    delivered: set[str] = field(default_factory=set)

    def subscribe(
        self, plan: str, *, card: str = "pm_card_visa", customer: Customer | None = None
    ) -> Customer:
        customer = customer or CustomerFactory()
        with self.run_tasks():
            choose_plan(customer=customer, plan=PLANS[plan], payment_method=card, at=timezone.now())
        return customer

    def deliver(self, *, events: list[dict[str, Any]] | None = None) -> None:
        """Post these events, or all undelivered ones, signed, and run the tasks that they enqueue."""
        for event in events or self.list_undelivered_events():
            self.delivered.add(event["id"])
            with self.run_tasks():
                response = post_webhook(json.dumps(event))
            assert response.status_code == 200

    def close_month(self) -> None:
        """Move Stripe's clock past the end of the period and its invoice's draft hour; deliver the events."""
        self.stripe.control.advance(days=31, hours=2)
        self.deliver()

    def pass_time(self, **delta: float) -> None:
        """Move our clock and Stripe's forward; Stripe does what falls due, and its events stay undelivered.

        Stripe's sandbox reads the same system clock in this process, so that one shift moves both.
        """
        self.time_machine.move_to(timezone.now() + timedelta(**delta))
        self.stripe.control.tick()

    def now(self) -> datetime:
        """Return Stripe's time."""
        return datetime.fromtimestamp(self.stripe.control.now(), UTC)

    def account(self, customer: Customer) -> BillingAccount:
        return BillingAccount.objects.get(customer=customer)

    def list_undelivered_events(self) -> list[dict[str, Any]]:
        return [
            event
            for event in self.stripe.control.events()
            if event["type"] in ENDPOINT_EVENTS and event["id"] not in self.delivered
        ]


class StripeCatalog:
    """Our plans and webhook endpoint, at Stripe and in dj-stripe's tables. Created once, copied per test."""

    def __init__(self) -> None:
        self._objects: list[dict[str, Any]] = []
        self._rows: list[list[Model]] = []

    def install(self, stripe: "StripeSandbox") -> None:
        if self._objects:
            stripe.reset(self._objects)
            with transaction.atomic():
                for rows in self._rows:
                    type(rows[0])._default_manager.bulk_create(rows)
        else:
            self._make(stripe)

    def _make(self, stripe: "StripeSandbox") -> None:
        sync_plans()
        register_webhook("http://127.0.0.1:9/api/webhooks/stripe", event_types=ENDPOINT_EVENTS)
        models = apps.get_app_config("djstripe").get_models()
        self._rows = list(filter(None, (list(model._default_manager.all()) for model in models)))
        self._objects = stripe.control.snapshot()
        stripe.reset(self._objects)


@pytest.fixture(scope="session")
def stripe_catalog() -> StripeCatalog:
    return StripeCatalog()


@pytest.fixture
def billing_env(
    db: None,
    stripe_catalog: StripeCatalog,
    stripe_sandbox: "StripeSandbox",
    django_capture_on_commit_callbacks: Any,
    time_machine: Any,
) -> BillingEnv:
    stripe_catalog.install(stripe_sandbox)
    known = {event["id"] for event in stripe_sandbox.control.events()}
    return BillingEnv(
        stripe_sandbox, lambda: django_capture_on_commit_callbacks(execute=True), time_machine, known
    )


def post_webhook(payload: str, *, secret: str | None = None, at: datetime | None = None) -> Any:
    """Post a payload as Stripe does, signed `at` (now) with `secret` (that of our endpoint)."""
    from sandbox.stripe.webhooks import signature

    secret = secret or WebhookEndpoint.objects.values_list("secret", flat=True).first() or "whsec_unknown"
    seconds = int((at or timezone.now()).timestamp())
    return Client().post(
        WEBHOOK,
        payload,
        content_type="application/json",
        headers={"Stripe-Signature": signature(secret, payload, seconds)},
    )


def run_together(*works: Callable[[], Any]) -> list[Any]:
    """Run functions at the same time, each in its own thread and connection, and return their results."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))
