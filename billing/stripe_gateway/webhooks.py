"""Webhooks: where Stripe delivers events, who signed one, and what it is about."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import stripe
from django.conf import settings
from djstripe import models as djstripe

from .client import get_client, read_id
from .errors import BadSignature, translate_errors
from .snapshots import find_invoiced_subscription

SIGNATURE_TOLERANCE_SECONDS = 300
# A thin event: Stripe delivers those to event destinations, which are made in its dashboard.
METER_ERROR = "v1.billing.meter.error_report_triggered"


@dataclass(frozen=True)
class WebhookEvent:
    """What happened at Stripe, and to which objects. Ids are empty where the event refers to none.

    `kind` is Stripe's word for the object, as "invoice"; `stripe_customer_id` is the object's own id where
    it is a customer. A thin event names an object without describing it, so that it has an id alone.
    """

    event_id: str
    event_type: str
    kind: str = ""
    object_id: str = ""
    stripe_customer_id: str = ""
    subscription_id: str = ""
    charge_id: str = ""


def register_webhook(url: str, *, event_types: Collection[str]) -> str:
    """Ask Stripe to deliver events of these types to a URL, and keep the endpoint's secret; its id.

    An endpoint that we hold for the URL is kept, and its list of types updated. Repeating it is safe.
    Raises StripeUnavailable, StripeRejected.
    """
    wanted: Any = sorted(event_types)
    endpoints = get_client().v1.webhook_endpoints
    with translate_errors("register_webhook"):
        # A destination for thin events has the same address, and another prefix.
        ours = djstripe.WebhookEndpoint.objects.filter(url=url, id__startswith="we_")
        if known := ours.exclude(secret="").first():
            if set(known.enabled_events) != set(wanted):
                djstripe.WebhookEndpoint.sync_from_stripe_data(
                    endpoints.update(known.id, {"enabled_events": wanted})
                )
            return str(known.id)
        version: Any = settings.STRIPE_API_VERSION
        created = endpoints.create({"url": url, "enabled_events": wanted, "api_version": version})
        row = djstripe.WebhookEndpoint.sync_from_stripe_data(created)
    return str(row.id)


def keep_event_destination(
    *, destination_id: str, url: str, secret: str, event_types: Collection[str]
) -> None:
    """Keep the secret of a destination for thin events, which Stripe signs apart. No call; repeatable.

    Source: https://docs.stripe.com/event-destinations
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


def is_thin(event_type: str) -> bool:
    """Whether Stripe sends events of a type without the object, to event destinations only.

    Source: https://docs.stripe.com/event-destinations
    """
    return event_type.startswith(("v1.", "v2."))


def read_event(payload: dict[str, Any]) -> WebhookEvent:
    """Parse the body of a webhook. Raises KeyError where it has no object that it should have."""
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
