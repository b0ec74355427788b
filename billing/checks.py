"""System checks of billing's settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def check_stripe_settings(**_: Any) -> list[CheckMessage]:
    match = settings.STRIPE_KEY.match(settings.STRIPE_SECRET_KEY)
    if match is None:
        hint = "Copy a secret or restricted key from Stripe's dashboard: sk_test_… or sk_live_…"
        return [
            Error("STRIPE_SECRET_KEY is not in the format of Stripe's keys.", hint=hint, id="billing.E001")
        ]
    if (match[2] == "live") is not settings.STRIPE_LIVE_MODE:
        hint = "Set STRIPE_LIVE_MODE to true for a live key, to false for a test key."
        return [Error("STRIPE_SECRET_KEY and STRIPE_LIVE_MODE disagree.", hint=hint, id="billing.E002")]
    return []
