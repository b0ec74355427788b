"""Stripe's part in the health check."""

import time

from billing.stripe_gateway.client import check_connection

# Stripe is asked no more often than this, however often the health check is.
FRESH_SECONDS = 15


class StripeCheck:
    """Raises what Stripe last answered. Kept in the process: the cache may be what is unavailable."""

    asked_at = float("-inf")
    failure: Exception | None = None

    @classmethod
    def check(cls) -> None:
        if time.monotonic() - cls.asked_at > FRESH_SECONDS:
            try:
                check_connection()
                cls.failure = None
            except Exception as error:
                cls.failure = error
            cls.asked_at = time.monotonic()
        if cls.failure is not None:
            raise cls.failure
