"""Translate Stripe's errors to ours, and log, count and trace every call."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe
import structlog

from billing.metrics import STRIPE_CALLS, STRIPE_SECONDS
from core.tracing import trace

from .http import Exchange, current_exchange

log = structlog.get_logger(__name__)


class StripeUnavailable(Exception):
    """Stripe did not answer, or answered with an error that a retry may resolve. The outcome is unknown."""


class NotSetUp(StripeUnavailable):
    """Stripe lacks the meter, a price or our portal configuration, until an operator has run `sync_plans`."""


class StripeRejected(Exception):
    """Stripe rejected the request, and would reject a retry. `code` is Stripe's error code, or empty.

    Source: https://docs.stripe.com/error-codes
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class CardDeclined(StripeRejected):
    """The card was declined, so the request that needed the payment had no effect."""

    @property
    def needs_person(self) -> bool:
        """Whether the bank requires the person to authenticate (3-D Secure)."""
        return self.code in ("authentication_required", "subscription_payment_intent_requires_action")


class OtherMode(StripeRejected):
    """The object belongs to Stripe's other mode: a test object in a live deployment, or the reverse."""


class BadSignature(Exception):
    """The webhook's signature matches no endpoint secret, or its timestamp is out of tolerance."""


@contextmanager
def translate_errors(call: str) -> Iterator[None]:
    """Wrap a call: translate Stripe's errors, log one line, record its outcome and duration, and trace it.

    `call` is the name in logs, metrics and traces. Nested calls are recorded separately.
    Raises StripeUnavailable, StripeRejected.
    """
    exchange, outer = Exchange(), current_exchange.get()
    current_exchange.set(exchange)
    started, outcome = time.monotonic(), "done"
    try:
        with trace(f"stripe {call}", kind="CLIENT") as span:
            try:
                yield
            finally:
                _annotate(span, exchange)
    except stripe.StripeError as error:
        translated = _translate(call, error)
        outcome = _name_outcome(translated)
        exchange.stripe_request_id = error.request_id or exchange.stripe_request_id
        raise translated from error
    except (StripeUnavailable, StripeRejected) as error:
        outcome = _name_outcome(error)
        raise
    except Exception:
        outcome = "failed"
        raise
    finally:
        current_exchange.set(outer)
        _record(call, outcome, time.monotonic() - started, exchange)


def is_replayed(error: stripe.StripeError) -> bool:
    """Whether Stripe replayed the error of an earlier request with the same idempotency key.

    That request has ended, and until Stripe forgets the key, a repetition gets the same error.
    Source: https://docs.stripe.com/error-low-level#sending-idempotency-keys
    """
    return (error.headers or {}).get("Idempotent-Replayed") == "true"


def _annotate(span: Any, exchange: Exchange) -> None:
    if span is not None:
        span.set_attribute("stripe.requests", exchange.requests)
        span.set_attribute("stripe.request_id", exchange.stripe_request_id)


def _name_outcome(error: Exception) -> str:
    return "unavailable" if isinstance(error, StripeUnavailable) else "rejected"


def _record(call: str, outcome: str, seconds: float, exchange: Exchange) -> None:
    STRIPE_CALLS.labels(call, outcome).inc()
    STRIPE_SECONDS.labels(call).observe(seconds)
    write = log.info if outcome == "done" else log.warning
    write(
        "stripe_call",
        call=call,
        outcome=outcome,
        seconds=round(seconds, 3),
        requests=exchange.requests,
        stripe_request_id=exchange.stripe_request_id,
    )


def _translate(call: str, error: stripe.StripeError) -> StripeUnavailable | StripeRejected:
    """Return StripeRejected for a final rejection, StripeUnavailable for all that a retry may resolve."""
    if isinstance(error, (stripe.APIConnectionError, stripe.RateLimitError)):
        return StripeUnavailable(f"{call}: {type(error).__name__}")
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        # Not a rejection of the request: it succeeds once an operator has fixed the key.
        log.error("stripe_key_rejected", call=call, status=error.http_status)
        return StripeUnavailable(f"{call}: Stripe rejected our API key")
    if isinstance(error, stripe.IdempotencyError):
        return StripeUnavailable(f"{call}: this idempotency key was used for another request")
    # 409: another request with the same idempotency key is in progress. Errors without a status never reached
    # Stripe's API.
    if (error.http_status or 500) >= 500 or error.http_status == 409:
        return StripeUnavailable(f"{call}: status {error.http_status}")
    kind = CardDeclined if isinstance(error, stripe.CardError) else StripeRejected
    return kind(error.user_message or str(error), code=error.code or "")
