"""How each call goes over the wire: a timeout, bounded retries, patience where Stripe asks for it.

The SDK tries again, after a spread and doubling wait, what was cut or timed out, 409 and 5xx; not 429, and it
does not read Retry-After. dj-stripe calls through the SDK's default client, which waits 80 seconds for an
answer: it is given ours.
"""

import random
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from time import sleep
from typing import Any

import stripe

MAX_RETRIES = 2
# A longer wait is left to the row that asked for the call, which is put off.
LONGEST_PATIENCE_SECONDS = 5.0


@dataclass
class Exchange:
    """What happened on the wire during one call of the gateway."""

    requests: int = 0
    stripe_request_id: str = ""


current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)


class PatientClient(stripe.RequestsClient):
    """The SDK's client, which also waits when Stripe answers that it is asked too much."""

    # RequestsClient's own signature differs from HTTPClient's in the same way.
    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        for waited in range(MAX_RETRIES + 1):
            content, status, answered = super().request(method, url, headers, post_data)
            _note(answered)
            wait = find_wait_seconds(answered, waited)
            if status != 429 or waited == MAX_RETRIES or wait > LONGEST_PATIENCE_SECONDS:
                break
            sleep(wait)
        return content, status, answered


def find_wait_seconds(headers: Mapping[str, str], waited: int) -> float:
    """How long to wait after a 429: as long as Stripe says, or half a second that doubles; never in step."""
    try:
        asked = float(headers.get("Retry-After") or 0)
    except ValueError:
        asked = 0.0
    return max(asked, 0.5 * 2.0**waited) * random.uniform(1, 1.25)  # noqa: S311 - spreads retries, guards nothing


def _note(headers: Mapping[str, str]) -> None:
    if (exchange := current_exchange.get()) is not None:
        exchange.requests += 1
        exchange.stripe_request_id = headers.get("Request-Id") or exchange.stripe_request_id
