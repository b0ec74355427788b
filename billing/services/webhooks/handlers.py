"""The handler of each webhook event type, in one table.

A handler reads the event's object from Stripe again, so that an event that arrives late, twice or out of
order writes the present state. It runs under the Stripe customer's lock, calls Stripe, and raises
StripeUnavailable or StripeRejected, after which the inbox row is rescheduled.
Source: https://docs.stripe.com/api/events/types, docs/decisions/006-webhook-inbox.md
"""

import json
from collections.abc import Callable

from django.utils import timezone

from billing.locks import lock_stripe_customer
from billing.services.metering.sync_meter_error import sync_meter_error
from billing.services.payments import record_incident
from billing.services.payments.sync_payment_state import sync_payment_state
from billing.services.subscriptions.refresh_account import link_stripe_customer, unlink_stripe_customer
from billing.stripe_gateway import mirror
from billing.stripe_gateway.checkout import expire_checkouts
from billing.stripe_gateway.mirror import purge_customer
from billing.stripe_gateway.webhooks import METER_ERROR, WebhookEvent, is_thin, read_event

Handler = Callable[[WebhookEvent], None]


def handle_webhook(*, event_type: str, body: str) -> None:
    """Run the handler of an event's type; a type without a handler is ignored.

    `body` is the webhook's JSON text. Safe to repeat. Runs in one transaction, one event at a time for each
    Stripe customer. A thin event belongs to no customer and commits as its service does.
    Raises StripeUnavailable, StripeRejected, and KeyError if the body lacks its object.
    """
    handler = HANDLERS.get(event_type)
    if handler is None:
        return
    event = read_event(json.loads(body))
    if is_thin(event_type):
        handler(event)
        return
    # An object without a customer, such as a price, locks only its own event.
    with lock_stripe_customer(event.stripe_customer_id or event.event_id):
        handler(event)


def sync_object(event: WebhookEvent) -> None:
    """Mirror the object for the portal and the admin; no state depends on it."""
    mirror.sync_object(kind=event.kind, object_id=event.object_id)


def sync_payment_method(event: WebhookEvent) -> None:
    mirror.sync_payment_method(event.object_id)


def sync_customer(event: WebhookEvent) -> None:
    sync_object(event)
    link_stripe_customer(stripe_customer_id=event.object_id)


def delete_customer(event: WebhookEvent) -> None:
    purge_customer(event.object_id)
    unlink_stripe_customer(stripe_customer_id=event.object_id)


def sync_subscription(event: WebhookEvent) -> None:
    """Mirror the subscription, then derive the account once."""
    sync_object(event)
    sync_payment_state(stripe_customer_id=event.stripe_customer_id, at=timezone.now())


def sync_invoice_payment(event: WebhookEvent) -> None:
    """Mirror an invoice and its subscription, then derive the account once.

    The subscription comes first: for an invoice whose subscription is not mirrored, dj-stripe would fetch the
    subscription itself, and it would be fetched twice.
    """
    if event.subscription_id:
        mirror.sync_object(kind="subscription", object_id=event.subscription_id)
    sync_object(event)
    if event.subscription_id:
        sync_payment_state(stripe_customer_id=event.stripe_customer_id, at=timezone.now())


def sync_checkout(event: WebhookEvent) -> None:
    """Mirror a completed Checkout session and its subscription, expire other sessions, derive the account."""
    if event.subscription_id:
        mirror.sync_object(kind="subscription", object_id=event.subscription_id)
    sync_object(event)
    if event.subscription_id:
        expire_checkouts(stripe_customer_id=event.stripe_customer_id)
        sync_payment_state(stripe_customer_id=event.stripe_customer_id, at=timezone.now())


def record_charge_refunds(event: WebhookEvent) -> None:
    sync_object(event)
    record_incident.record_refunds(charge_id=event.object_id, at=timezone.now())


def record_refund(event: WebhookEvent) -> None:
    """Record all refunds of the charge; ignore a refund without a charge, which belongs to no invoice."""
    if event.charge_id:
        record_incident.record_refunds(charge_id=event.charge_id, at=timezone.now())


def record_dispute(event: WebhookEvent) -> None:
    sync_object(event)
    record_incident.record_dispute(dispute_id=event.object_id, at=timezone.now())


def record_meter_error(event: WebhookEvent) -> None:
    sync_meter_error(event_id=event.event_id)


HANDLERS: dict[str, Handler] = {
    "charge.dispute.closed": record_dispute,
    "charge.dispute.created": record_dispute,
    "charge.dispute.updated": record_dispute,
    "charge.refunded": record_charge_refunds,
    "checkout.session.completed": sync_checkout,
    "checkout.session.expired": sync_object,
    "customer.created": sync_customer,
    "customer.deleted": delete_customer,
    "customer.subscription.created": sync_subscription,
    "customer.subscription.deleted": sync_subscription,
    "customer.subscription.updated": sync_subscription,
    "customer.updated": sync_customer,
    "invoice.created": sync_object,
    "invoice.finalized": sync_invoice_payment,
    "invoice.marked_uncollectible": sync_invoice_payment,
    "invoice.paid": sync_invoice_payment,
    "invoice.payment_action_required": sync_invoice_payment,
    "invoice.payment_failed": sync_invoice_payment,
    "invoice.updated": sync_object,
    "invoice.voided": sync_invoice_payment,
    "payment_method.attached": sync_payment_method,
    "payment_method.detached": sync_payment_method,
    "payment_method.updated": sync_payment_method,
    "price.created": sync_object,
    "price.updated": sync_object,
    "refund.failed": record_refund,
    "refund.updated": record_refund,
    METER_ERROR: record_meter_error,
}
# The types that register_webhook subscribes to: endpoints receive snapshot events, destinations thin ones.
ENDPOINT_EVENTS = tuple(each for each in HANDLERS if not is_thin(each))
DESTINATION_EVENTS = tuple(each for each in HANDLERS if is_thin(each))
