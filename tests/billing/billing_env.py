"""Billing's fixtures: a sandbox Stripe with our plans and webhook endpoint, its events, and the time."""

import json
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.apps import apps
from django.db import connections, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from djstripe.models import WebhookEndpoint

from billing.models import BillingAccount
from billing.plans import PLANS
from billing.services.subscriptions.choose_plan import choose_plan
from billing.services.webhooks.handlers import ENDPOINT_EVENTS, HANDLERS
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
    snapshots: "Snapshots"
    catalog: "Snapshot"
    delivered: set[str]

    def subscribe(
        self, plan: str, *, card: str = "pm_card_visa", customer: Customer | None = None
    ) -> Customer:
        """Return a customer on the plan. The test's first one is a copy where nothing can make it differ."""
        if customer or self._has_changed():
            return self._open_subscription(plan, card, customer or CustomerFactory())
        key = (PLANS[plan], card)
        self.snapshots.restore(
            key, self.stripe, lambda: self._open_subscription(plan, card, CustomerFactory())
        )
        return Customer.objects.get(billing_account__stripe_customer__isnull=False)

    def _has_changed(self) -> bool:
        """Whether the test has done anything at Stripe, or to the time."""
        stripe = self.stripe.control
        is_untouched = stripe.snapshot() == self.catalog.objects and not stripe.faults()
        return time_machine.escape_hatch.is_travelling() or not is_untouched

    def _open_subscription(self, plan: str, card: str, customer: Customer) -> Customer:
        with self.run_tasks():
            choose_plan(customer=customer, plan=PLANS[plan], payment_method=card, at=timezone.now())
        return customer

    def deliver(self, *, events: list[dict[str, Any]] | None = None) -> None:
        """Post these events, or the newest undelivered ones, signed, and run the tasks that they enqueue."""
        if events is None:
            undelivered = self.list_undelivered_events()
            self.delivered |= {event["id"] for event in undelivered}
            events = keep_newest(undelivered)
        for event in events:
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


@dataclass(frozen=True)
class Snapshot:
    """What is at the sandbox Stripe, and the rows that came into being with it."""

    objects: list[dict[str, Any]]
    rows: list[list[Model]]

    def restore(self, stripe: "StripeSandbox") -> None:
        stripe.reset(self.objects)
        with transaction.atomic():
            for rows in self.rows:
                type(rows[0])._default_manager.bulk_create(rows)


class Snapshots:
    """What most tests start from, made once and copied for each: our catalog, a customer on each plan."""

    def __init__(self) -> None:
        self._taken: dict[Hashable, Snapshot] = {}

    def restore(self, key: Hashable, stripe: "StripeSandbox", make: Callable[[], object]) -> Snapshot:
        """Restore the snapshot of that key; the first time, make and take it."""
        if key in self._taken:
            self._taken[key].restore(stripe)
        else:
            former = {model: set(model._base_manager.values_list("pk", flat=True)) for model in list_tables()}
            make()
            rows = ([row for row in m._base_manager.all() if row.pk not in former[m]] for m in list_tables())
            self._taken[key] = Snapshot(stripe.control.snapshot(), list(filter(None, rows)))
            stripe.reset(self._taken[key].objects)  # forget the requests too, as later tests do
        return self._taken[key]


def keep_newest(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest event of each object and handler, oldest first.

    A handler reads its object from Stripe again, so an earlier event of it would write the same state.
    Delivering every one is for the tests of webhooks, the journeys and the chaos run.
    """
    newest = {(HANDLERS[event["type"]], event["data"]["object"]["id"]): event["id"] for event in events}
    return [event for event in events if event["id"] in newest.values()]


def list_tables() -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]


def make_catalog(stripe_url: str) -> None:
    sync_plans()
    # Below Stripe's own address, each event counts as answered: the tests post it with `deliver`.
    register_webhook(f"{stripe_url}/api/webhooks/stripe", event_types=ENDPOINT_EVENTS)


@pytest.fixture(scope="session")
def stripe_snapshots() -> Snapshots:
    return Snapshots()


@pytest.fixture
def billing_env(
    db: None,
    stripe_snapshots: Snapshots,
    stripe_sandbox: "StripeSandbox",
    django_capture_on_commit_callbacks: Any,
    time_machine: Any,
) -> BillingEnv:
    catalog = stripe_snapshots.restore("catalog", stripe_sandbox, lambda: make_catalog(stripe_sandbox.url))
    return BillingEnv(
        stripe_sandbox,
        lambda: django_capture_on_commit_callbacks(execute=True),
        time_machine,
        stripe_snapshots,
        catalog,
        {event["id"] for event in stripe_sandbox.control.events()},
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
