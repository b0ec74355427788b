"""HTTP client for Stripe with a timeout, bounded retries and support for Retry-After.

The SDK retries broken connections, timeouts, 409 and 5xx with jittered exponential backoff. It does not retry
429 and does not read Retry-After, so this client does. dj-stripe uses it too: the SDK's default client would
wait 80 seconds for an answer.
"""

import random
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from time import sleep
from typing import Any

import stripe

MAX_RETRIES = 2
# Instead of waiting longer, the call fails and its outbox row is rescheduled: a worker must not sleep for
# long.
LONGEST_WAIT_SECONDS = 5.0


@dataclass
class Exchange:
    """The HTTP requests of one gateway call: their number, and Stripe's id of the last one."""

    requests: int = 0
    stripe_request_id: str = ""


current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)


class RetryingClient(stripe.RequestsClient):
    """The SDK's client, which also retries 429 after a wait."""

    # RequestsClient's own signature differs from HTTPClient's in the same way.
    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        for waited in range(MAX_RETRIES + 1):
            content, status, answered = super().request(method, url, headers, post_data)
            _record(answered)
            wait = find_wait_seconds(answered, waited)
            if status != 429 or waited == MAX_RETRIES or wait > LONGEST_WAIT_SECONDS:
                break
            sleep(wait)
        return content, status, answered


def find_wait_seconds(headers: Mapping[str, str], waited: int) -> float:
    """Return the seconds to wait after a 429: Retry-After, or 0.5 s doubled per attempt, plus jitter.

    `waited` is the number of earlier waits. The jitter keeps workers from retrying at the same time.
    """
    try:
        retry_after = float(headers.get("Retry-After") or 0)
    except ValueError:
        retry_after = 0.0
    return max(retry_after, 0.5 * 2.0**waited) * random.uniform(1, 1.25)  # noqa: S311 - spreads retries, guards nothing


def _record(headers: Mapping[str, str]) -> None:
    if (exchange := current_exchange.get()) is not None:
        exchange.requests += 1
        exchange.stripe_request_id = headers.get("Request-Id") or exchange.stripe_request_id
