"""Billing's fixtures: a Stripe with our plans and our webhook endpoint, and its news carried to us."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import stripe
from django.db import connections
from django.test import Client
from django.utils import timezone
from djstripe.models import WebhookEndpoint

from billing import services, stripe_gateway
from billing.models import BillingAccount
from billing.plans import PLANS
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
            services.choose_plan(customer=customer, plan=PLANS[plan], payment_method=card, at=timezone.now())
        return customer

    def deliver(self, *, events: list[dict[str, Any]] | None = None) -> None:
        """Post every event that we have not had, signed, and run what it asks for."""
        for event in events or [
            each for each in self.stripe.control.events() if each["id"] not in self.delivered
        ]:
            self.delivered.add(event["id"])
            with self.run_tasks():
                response = post_webhook(json.dumps(event))
            assert response.status_code == 200

    def advance(self, days: int = 31) -> None:
        """Close the month: past the period's end and the hour until its invoice is finalised."""
        self.stripe.control.advance(days=days, hours=2)
        self.deliver()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.stripe.control.now(), UTC)

    def account(self, customer: Customer) -> BillingAccount:
        return BillingAccount.objects.get(customer=customer)


@pytest.fixture
def world(
    db: None, stripe_sandbox: "StripeSandbox", django_capture_on_commit_callbacks: Any
) -> Iterator[BillingWorld]:
    stripe_gateway.sync_plans()
    stripe_gateway.register_webhook("http://127.0.0.1:9/api/webhooks/stripe")
    yield BillingWorld(stripe_sandbox, lambda: django_capture_on_commit_callbacks(execute=True))


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
