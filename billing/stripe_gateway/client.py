"""Stripe clients: ours, and the configuration of dj-stripe's."""

from functools import cache
from typing import Any

import stripe
from django.conf import settings

from billing.metrics import OTHER_MODE

from .errors import OtherMode, translate_errors
from .http import MAX_RETRIES, RetryingClient

# The metadata key under which dj-stripe looks for our customer's id.
SUBSCRIBER = "djstripe_subscriber"


@cache
def get_client() -> stripe.StripeClient:
    """Return the process's Stripe client, which keeps connections open between calls."""
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": settings.STRIPE_API_BASE, "meter_events": settings.STRIPE_API_BASE},
        http_client=RetryingClient(timeout=settings.STRIPE_TIMEOUT_SECONDS),
        max_network_retries=MAX_RETRIES,
    )


def configure_djstripe() -> None:
    """Make dj-stripe use our timeout and retries. Called once, when the apps are ready.

    dj-stripe calls the SDK's module-level client, whose default timeout is 80 seconds.
    """
    stripe.default_http_client = RetryingClient(timeout=settings.STRIPE_TIMEOUT_SECONDS)
    stripe.max_network_retries = MAX_RETRIES


def check_connection() -> None:
    """Raise StripeUnavailable or StripeRejected unless Stripe accepts our key within two seconds.

    Uses a client without retries, so that a health check is never slower than that.
    """
    client = stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        http_client=stripe.RequestsClient(timeout=2),
        max_network_retries=0,
    )
    with translate_errors("check_connection"):
        client.v1.accounts.retrieve_current()


def is_other_mode(livemode: bool | None) -> bool:
    """Whether an event or object with this `livemode` is of Stripe's other mode; None if it names no mode."""
    return livemode is not None and livemode is not settings.STRIPE_LIVE_MODE


def reject_other_mode(found: stripe.StripeObject) -> None:
    """Raise OtherMode, and count it, unless an object that was read is of this deployment's mode."""
    if is_other_mode(getattr(found, "livemode", None)):
        OTHER_MODE.labels("object").inc()
        raise OtherMode("The object is not of the mode that STRIPE_LIVE_MODE sets.")


def read_id(reference: Any) -> str:
    """Return the id of a reference, which Stripe sends as an id or as an expanded object."""
    return str(reference if isinstance(reference, str) else reference["id"])


def read_metadata(found: Any, key: str) -> str | None:
    """Return one value of an object's metadata, or None."""
    return found.metadata[key] if found.metadata and key in found.metadata else None
