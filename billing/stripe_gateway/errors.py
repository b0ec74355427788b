"""What a call to Stripe may end in, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe
import structlog

log = structlog.get_logger(__name__)


class StripeUnavailable(Exception):
    """No answer, or one that will be another later: the outcome of the call is unknown."""


class NotSetUp(StripeUnavailable):
    """Stripe lacks what `sync_plans` makes: everything waits until an operator has run it."""


class StripeRefused(Exception):
    """Stripe understood and said no. `code` is Stripe's own."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class CardRefused(StripeRefused):
    """The card was not charged, and what it was to pay for has not happened."""

    @property
    def needs_person(self) -> bool:
        """Whether the bank only asks for the person (3-D Secure)."""
        return self.code in ("authentication_required", "subscription_payment_intent_requires_action")


class BadSignature(Exception):
    """A webhook that no known endpoint secret has signed, or not lately."""


@contextmanager
def translate_errors(call: str) -> Iterator[None]:
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        log.warning("stripe_unavailable", call=call, error=type(error).__name__)
        raise StripeUnavailable(f"{call}: {type(error).__name__}") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("stripe_key_refused", call=call, status=error.http_status)
        raise StripeUnavailable(f"{call}: Stripe refuses our key") from error
    except stripe.CardError as error:
        log.warning("stripe_card_refused", call=call, code=error.code, stripe_request_id=error.request_id)
        raise CardRefused(error.user_message or str(error), code=error.code or "") from error
    except stripe.StripeError as error:
        if (error.http_status or 500) >= 500 or error.http_status == 409:
            log.warning("stripe_unavailable", call=call, status=error.http_status)
            raise StripeUnavailable(f"{call}: status {error.http_status}") from error
        log.warning("stripe_refused", call=call, code=error.code, stripe_request_id=error.request_id)
        raise StripeRefused(error.user_message or str(error), code=error.code or "") from error
