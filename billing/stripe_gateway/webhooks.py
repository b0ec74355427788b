"""Webhooks: register endpoints, verify signatures and parse events."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import stripe
from django.conf import settings
from djstripe import models as djstripe

from .client import get_client, read_id
from .errors import BadSignature, translate_errors
from .mirror import mirror_object
from .snapshots import find_invoiced_subscription

SIGNATURE_TOLERANCE_SECONDS = 300
# A thin event. Stripe delivers those to event destinations, which are created in its dashboard.
METER_ERROR = "v1.billing.meter.error_report_triggered"


@dataclass(frozen=True)
class WebhookEvent:
    """An event's type and the ids of its objects. Ids are empty if the event has none.

    `kind` is the object's type, such as "invoice". `stripe_customer_id` is the object's own id if it is a
    customer. A thin event carries no object, so only its id and type are set.
    """

    event_id: str
    event_type: str
    kind: str = ""
    object_id: str = ""
    stripe_customer_id: str = ""
    subscription_id: str = ""
    charge_id: str = ""


def register_webhook(url: str, *, event_types: Collection[str]) -> str:
    """Create or update the webhook endpoint of a URL, store its secret, and return its id.

    Safe to repeat: an endpoint whose secret we hold is reused, and its event types are updated. Stripe
    returns the secret only when an endpoint is created. Raises StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/api/webhook_endpoints/create
    """
    wanted: Any = sorted(event_types)
    endpoints = get_client().v1.webhook_endpoints
    with translate_errors("register_webhook"):
        # An event destination may have the same URL, but another id prefix.
        ours = djstripe.WebhookEndpoint.objects.filter(url=url, id__startswith="we_")
        if known := ours.exclude(secret="").first():
            if set(known.enabled_events) != set(wanted):
                updated = endpoints.update(known.id, {"enabled_events": wanted})
                mirror_object(djstripe.WebhookEndpoint, updated)
            return str(known.id)
        version: Any = settings.STRIPE_API_VERSION
        created = endpoints.create({"url": url, "enabled_events": wanted, "api_version": version})
        row = mirror_object(djstripe.WebhookEndpoint, created)
    return str(row.id)


def save_event_destination(
    *, destination_id: str, url: str, secret: str, event_types: Collection[str]
) -> None:
    """Store the secret of an event destination, with which Stripe signs thin events.

    Commits; makes no Stripe call; safe to repeat. Source: https://docs.stripe.com/event-destinations
    """
    djstripe.WebhookEndpoint.objects.update_or_create(
        id=destination_id,
        defaults={
            "url": url,
            "secret": secret,
            "enabled_events": sorted(event_types),
            "status": "enabled",
            "livemode": settings.STRIPE_LIVE_MODE,
        },
    )


def verify_webhook(*, payload: str, signature: str) -> None:
    """Raise BadSignature unless one of our endpoint secrets signed this within 300 seconds of now.

    Makes no Stripe call. Timestamps in the future are rejected as well: Stripe's library rejects only old
    ones, so that a signature with a timestamp far ahead could be replayed until then.
    Source: https://docs.stripe.com/webhooks/signature
    """
    if _is_from_future(signature):
        raise BadSignature
    for secret in djstripe.WebhookEndpoint.objects.exclude(secret="").values_list("secret", flat=True):
        try:
            stripe.WebhookSignature.verify_header(payload, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            continue
        return
    raise BadSignature


def _is_from_future(signature: str) -> bool:
    """Whether the first `t=`, which is the one that Stripe's library reads, exceeds the tolerance."""
    parts = (part.split("=") for part in signature.split(","))
    try:
        sent_at = int(next(part for part in parts if part[0] == "t")[1])
    except (StopIteration, IndexError, ValueError):
        return False  # malformed: the library rejects it
    return sent_at > time.time() + SIGNATURE_TOLERANCE_SECONDS


def is_thin(event_type: str) -> bool:
    """Whether a type's events are thin: sent without their object, and only to event destinations.

    Source: https://docs.stripe.com/event-destinations
    """
    return event_type.startswith(("v1.", "v2."))


def read_event(payload: dict[str, Any]) -> WebhookEvent:
    """Parse a webhook's body. Raises KeyError if a snapshot event lacks its object."""
    event_id, event_type = payload["id"], payload["type"]
    if is_thin(event_type):
        return WebhookEvent(event_id=event_id, event_type=event_type)
    subject = payload["data"]["object"]
    is_customer = subject["object"] == "customer"
    return WebhookEvent(
        event_id=event_id,
        event_type=event_type,
        kind=subject["object"],
        object_id=subject["id"],
        stripe_customer_id=subject["id"] if is_customer else _read_reference(subject.get("customer")),
        subscription_id=_read_reference(subject.get("subscription")) or find_invoiced_subscription(subject),
        charge_id=_read_reference(subject.get("charge")),
    )


def _read_reference(reference: Any) -> str:
    return read_id(reference) if reference else ""
