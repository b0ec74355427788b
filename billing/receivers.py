"""Who listens to what. Stripe's news is acted on inside the worker, where the inbox row makes it durable."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event

from phases.models import PhaseExecution
from phases.signals import phase_completed

from . import services, stripe_gateway


@receiver(phase_completed, dispatch_uid="record_usage")
def record_completed_mitigation(execution: PhaseExecution, occurred_at: datetime, **_: Any) -> None:
    if execution.phase == PhaseExecution.Phase.MITIGATION:
        services.record_usage(customer=execution.customer, execution=execution, occurred_at=occurred_at)


@djstripe_receiver(["customer.created", "customer.updated"])
def link_customer(event: Event, **_: Any) -> None:
    services.link_stripe_customer(stripe_customer_id=event.data["object"]["id"])


@djstripe_receiver(
    ["customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"]
)
def follow_subscription(event: Event, **_: Any) -> None:
    services.refresh_account(stripe_customer_id=event.data["object"]["customer"])


@djstripe_receiver(["invoice.paid", "invoice.payment_failed", "invoice.finalized"])
def follow_invoice(event: Event, **_: Any) -> None:
    invoice = event.data["object"]
    if subscription_id := ((invoice.get("parent") or {}).get("subscription_details") or {}).get(
        "subscription"
    ):
        stripe_gateway.sync_subscription(subscription_id)
        services.refresh_account(stripe_customer_id=invoice["customer"])
