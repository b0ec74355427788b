"""Where Stripe delivers its news, and what is done with it."""

import time
from typing import Any

import stripe
from django.conf import settings
from djstripe import models as djstripe

from .client import get_client
from .errors import BadSignature, translate_errors

SIGNATURE_TOLERANCE_SECONDS = 300
# A thin event: Stripe delivers those to event destinations, which are made in its dashboard.
METER_ERROR = "v1.billing.meter.error_report_triggered"
# What we act on, and what dj-stripe mirrors for the portal.
WEBHOOK_EVENTS: Any = [
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.updated",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.created",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "price.created",
    "price.updated",
    "refund.failed",
    "refund.updated",
]


def register_webhook(url: str) -> str:
    """Ask Stripe to deliver to a URL, and keep the endpoint's secret. Repeating it is safe.

    An endpoint that we hold for the URL is kept, and asked for what we want to hear today.
    """
    endpoints = get_client().v1.webhook_endpoints
    with translate_errors("register_webhook"):
        # A destination for thin events has the same address, and another prefix.
        ours = djstripe.WebhookEndpoint.objects.filter(url=url, id__startswith="we_")
        if known := ours.exclude(secret="").first():
            if set(known.enabled_events) != set(WEBHOOK_EVENTS):
                djstripe.WebhookEndpoint.sync_from_stripe_data(
                    endpoints.update(known.id, {"enabled_events": WEBHOOK_EVENTS})
                )
            return str(known.id)
        version: Any = settings.STRIPE_API_VERSION
        created = endpoints.create({"url": url, "enabled_events": WEBHOOK_EVENTS, "api_version": version})
        row = djstripe.WebhookEndpoint.sync_from_stripe_data(created)
    return str(row.id)


def keep_event_destination(*, destination_id: str, url: str, secret: str) -> None:
    """Keep the secret of a destination for thin events, which Stripe signs apart. No call; repeatable.

    Source: https://docs.stripe.com/event-destinations
    """
    djstripe.WebhookEndpoint.objects.update_or_create(
        id=destination_id,
        defaults={
            "url": url,
            "secret": secret,
            "enabled_events": [METER_ERROR],
            "status": "enabled",
            "livemode": settings.STRIPE_LIVE_MODE,
        },
    )


def verify_webhook(*, payload: str, signature: str) -> None:
    """Raise BadSignature unless an endpoint of ours signed this within 300 seconds of now. No call.

    Neither earlier nor later: Stripe's library refuses only what is too old, and who once holds a signature
    with a time far ahead could replay it until then.
    """
    if _is_ahead(signature):
        raise BadSignature
    for secret in djstripe.WebhookEndpoint.objects.exclude(secret="").values_list("secret", flat=True):
        try:
            stripe.WebhookSignature.verify_header(payload, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            continue
        return
    raise BadSignature


def _is_ahead(signature: str) -> bool:
    """Whether the first `t=`, the one that Stripe's library takes, is ahead by more than the tolerance."""
    parts = (part.split("=") for part in signature.split(","))
    try:
        sent_at = int(next(part for part in parts if part[0] == "t")[1])
    except (StopIteration, IndexError, ValueError):
        return False  # not a signature, and refused by the library
    return sent_at > time.time() + SIGNATURE_TOLERANCE_SECONDS


def apply_event(payload: dict[str, Any]) -> None:
    """Let dj-stripe mirror what an event is about, and its receivers run. Safe to repeat.

    An event that dj-stripe knows already is handed to the receivers again: the last time may have died
    between its commit and ours.
    """
    with translate_errors("apply_event"):
        known = djstripe.Event.objects.filter(id=payload["id"]).first()
        if known is None:
            djstripe.Event.process(data=payload)
        else:
            known.invoke_webhook_handlers()
