"""The connection to Stripe."""

from functools import cache
from typing import Any

import stripe
from django.conf import settings

from .errors import translate_errors
from .http import MAX_RETRIES, PatientClient

SUBSCRIBER = "djstripe_subscriber"  # where dj-stripe looks for our customer's id


@cache
def get_client() -> stripe.StripeClient:
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": settings.STRIPE_API_BASE, "meter_events": settings.STRIPE_API_BASE},
        http_client=PatientClient(timeout=settings.STRIPE_TIMEOUT_SECONDS),
        max_network_retries=MAX_RETRIES,
    )


def configure_djstripe() -> None:
    """Let dj-stripe call with our timeout, retries and patience. Once, when the apps are ready."""
    stripe.default_http_client = PatientClient(timeout=settings.STRIPE_TIMEOUT_SECONDS)
    stripe.max_network_retries = MAX_RETRIES


def check_connection() -> None:
    """Raise StripeUnavailable or StripeRejected unless Stripe answers us, within two seconds."""
    client = stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        http_client=stripe.RequestsClient(timeout=2),
        max_network_retries=0,
    )
    with translate_errors("check_connection"):
        client.v1.accounts.retrieve_current()


def read_id(reference: Any) -> str:
    """The id of what Stripe refers to by it, or sends along."""
    return str(reference if isinstance(reference, str) else reference["id"])


def read_metadata(found: Any, key: str) -> str | None:
    return found.metadata[key] if found.metadata and key in found.metadata else None
