"""Who listens to what. Stripe's news is acted on inside the worker, where the inbox row makes it durable."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver
from django.utils import timezone
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


@djstripe_receiver("customer.deleted")
def forget_customer(event: Event, **_: Any) -> None:
    services.forget_stripe_customer(stripe_customer_id=event.data["object"]["id"])


@djstripe_receiver(
    ["customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"]
)
def follow_subscription(event: Event, **_: Any) -> None:
    services.follow_payment(stripe_customer_id=event.data["object"]["customer"], at=timezone.now())


@djstripe_receiver(
    [
        "invoice.finalized",
        "invoice.marked_uncollectible",
        "invoice.paid",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice.voided",
    ]
)
def follow_invoice(event: Event, **_: Any) -> None:
    invoice = event.data["object"]
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    if subscription_id := details.get("subscription"):
        stripe_gateway.sync_subscription(subscription_id)
        services.follow_payment(stripe_customer_id=invoice["customer"], at=timezone.now())


@djstripe_receiver("checkout.session.completed")
def follow_checkout(event: Event, **_: Any) -> None:
    session = event.data["object"]
    if subscription_id := session.get("subscription"):
        stripe_gateway.sync_subscription(subscription_id)
        stripe_gateway.close_checkouts(stripe_customer_id=session["customer"])
        services.follow_payment(stripe_customer_id=session["customer"], at=timezone.now())


@djstripe_receiver("charge.refunded")
def record_refunds(event: Event, **_: Any) -> None:
    services.record_refunds(charge_id=event.data["object"]["id"], at=timezone.now())


@djstripe_receiver(["refund.updated", "refund.failed"])
def follow_refund(event: Event, **_: Any) -> None:
    if charge_id := event.data["object"].get("charge"):
        services.record_refunds(charge_id=charge_id, at=timezone.now())


@djstripe_receiver(["charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"])
def record_dispute(event: Event, **_: Any) -> None:
    services.record_dispute(dispute_id=event.data["object"]["id"], at=timezone.now())
