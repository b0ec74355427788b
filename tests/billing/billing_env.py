"""Billing's fixtures: a Stripe with our plans and our webhook endpoint, and its news carried to us."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import stripe
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
class BillingWorld:
    """Our side and Stripe's, and what passes between them."""

    stripe: "StripeSandbox"
    run_tasks: Callable[[], AbstractContextManager[Any]]
    delivered: set[str] = field(default_factory=set)

    def subscribe(
        self, plan: str, *, card: str = "pm_card_visa", customer: Customer | None = None
    ) -> Customer:
        customer = customer or CustomerFactory()
        with self.run_tasks():
            choose_plan(customer=customer, plan=PLANS[plan], payment_method=card, at=timezone.now())
        return customer

    def deliver(self, *, events: list[dict[str, Any]] | None = None) -> None:
        """Post every event that we asked for and have not had, signed, and run what it asks for."""
        for event in events or self._list_news():
            self.delivered.add(event["id"])
            with self.run_tasks():
                response = post_webhook(json.dumps(event))
            assert response.status_code == 200

    def advance(self, days: int = 31) -> None:
        """Close the month: past the period's end and the hour until its invoice is finalized."""
        self.stripe.control.advance(days=days, hours=2)
        self.deliver()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.stripe.control.now(), UTC)

    def account(self, customer: Customer) -> BillingAccount:
        return BillingAccount.objects.get(customer=customer)

    def _list_news(self) -> list[dict[str, Any]]:
        return [
            event
            for event in self.stripe.control.events()
            if event["type"] in ENDPOINT_EVENTS and event["id"] not in self.delivered
        ]


class Foundation:
    """Our plans and our endpoint, at Stripe and in dj-stripe's tables: made once, laid under every test."""

    def __init__(self) -> None:
        self._objects: list[dict[str, Any]] = []
        self._rows: list[list[Model]] = []

    def lay(self, stripe: "StripeSandbox") -> None:
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
def foundation() -> Foundation:
    return Foundation()


@pytest.fixture
def billing_env(
    db: None,
    foundation: Foundation,
    stripe_sandbox: "StripeSandbox",
    django_capture_on_commit_callbacks: Any,
) -> BillingWorld:
    foundation.lay(stripe_sandbox)
    known = {event["id"] for event in stripe_sandbox.control.events()}
    return BillingWorld(stripe_sandbox, lambda: django_capture_on_commit_callbacks(execute=True), known)


def post_webhook(payload: str, *, secret: str | None = None, at: datetime | None = None) -> Any:
    """What Stripe sends: the payload, signed now with our endpoint's secret unless told otherwise."""
    secret = secret or WebhookEndpoint.objects.values_list("secret", flat=True).first() or "whsec_unknown"
    seconds = int((at or timezone.now()).timestamp())
    signature = stripe.WebhookSignature._compute_signature(f"{seconds}.{payload}", secret)
    header = f"t={seconds},v1={signature}"
    return Client().post(
        WEBHOOK, payload, content_type="application/json", headers={"Stripe-Signature": header}
    )


def run_together(*works: Callable[[], Any]) -> list[Any]:
    """What each gives, all begun at once, each in a thread and connection of its own."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))
