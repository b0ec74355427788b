"""What a call to Stripe may end in, in our words."""

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
    """No answer, or one that will be another later: the outcome of the call is unknown."""


class NotSetUp(StripeUnavailable):
    """Stripe lacks what `sync_plans` makes: everything waits until an operator has run it."""


class StripeRejected(Exception):
    """Stripe understood and said no. `code` is Stripe's own."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class CardRefused(StripeRejected):
    """The card was not charged, and what it was to pay for has not happened."""

    @property
    def needs_person(self) -> bool:
        """Whether the bank only asks for the person (3-D Secure)."""
        return self.code in ("authentication_required", "subscription_payment_intent_requires_action")


class BadSignature(Exception):
    """A webhook that no known endpoint secret has signed, or not lately."""


@contextmanager
def translate_errors(call: str) -> Iterator[None]:
    """Around every call: its outcome in our words, one line in the log, one count and its seconds."""
    exchange, outer = Exchange(), current_exchange.get()
    current_exchange.set(exchange)
    started, outcome = time.monotonic(), "done"
    try:
        with trace(f"stripe {call}", kind="CLIENT") as span:
            try:
                yield
            finally:
                _describe(span, exchange)
    except stripe.StripeError as error:
        translated = _translate(call, error)
        outcome = _name(translated)
        exchange.stripe_request_id = error.request_id or exchange.stripe_request_id
        raise translated from error
    except (StripeUnavailable, StripeRejected) as error:
        outcome = _name(error)
        raise
    except Exception:
        outcome = "failed"
        raise
    finally:
        current_exchange.set(outer)
        _note(call, outcome, time.monotonic() - started, exchange)


def _describe(span: Any, exchange: Exchange) -> None:
    if span is not None:
        span.set_attribute("stripe.requests", exchange.requests)
        span.set_attribute("stripe.request_id", exchange.stripe_request_id)


def _name(error: Exception) -> str:
    return "unavailable" if isinstance(error, StripeUnavailable) else "refused"


def _note(call: str, outcome: str, seconds: float, exchange: Exchange) -> None:
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
    """A refusal is for good; all else may be answered otherwise another time."""
    if isinstance(error, (stripe.APIConnectionError, stripe.RateLimitError)):
        return StripeUnavailable(f"{call}: {type(error).__name__}")
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        log.error("stripe_key_refused", call=call, status=error.http_status)
        return StripeUnavailable(f"{call}: Stripe refuses our key")
    if isinstance(error, stripe.IdempotencyError):
        return StripeUnavailable(f"{call}: this key was used for another request")
    if (error.http_status or 500) >= 500 or error.http_status == 409:
        return StripeUnavailable(f"{call}: status {error.http_status}")
    kind = CardRefused if isinstance(error, stripe.CardError) else StripeRejected
    return kind(error.user_message or str(error), code=error.code or "")
