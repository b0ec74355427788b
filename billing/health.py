"""Health check of Stripe."""

import time

from billing.stripe_gateway.client import check_connection

# Stripe is called at most once in this time per process, however often the health check runs.
FRESH_SECONDS = 15


class StripeCheck:
    """Raise the error of Stripe's last answer, if any.

    The answer is kept in the process rather than in the cache, which may itself be unavailable.
    """

    checked_at = float("-inf")
    failure: Exception | None = None

    @classmethod
    def check(cls) -> None:
        if time.monotonic() - cls.checked_at > FRESH_SECONDS:
            try:
                check_connection()
                cls.failure = None
            except Exception as error:
                # Kept and raised below, also for the checks of the next FRESH_SECONDS.
                cls.failure = error
            cls.checked_at = time.monotonic()
        if cls.failure is not None:
            raise cls.failure
