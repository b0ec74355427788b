"""Move Stripe's clock, and wait until its webhooks have been processed."""

import time
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from billing.models import InboxEvent

TIMEOUT_SECONDS = 60


class SandboxUnavailable(Exception):
    """No sandbox answers at Stripe's address, or its webhooks are not processed."""


class StripeClock(Protocol):
    """A Stripe whose clock can be moved forward."""

    def now(self) -> datetime: ...

    def move_to(self, moment: datetime) -> None:
        """Move the clock, and wait until all resulting webhooks have been processed."""


class HttpStripeClock:
    """The clock of a running sandbox. A running web process and worker handle its webhooks."""

    def __init__(self, stripe_url: str) -> None:
        self._http = httpx.Client(
            base_url=f"{stripe_url}/_sandbox/", timeout=TIMEOUT_SECONDS, trust_env=False
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._call("GET", "clock")["now"], UTC)

    def move_to(self, moment: datetime) -> None:
        """Move the clock, and wait until all resulting webhooks have been processed.

        Raises SandboxUnavailable.
        """
        self._call("POST", "clock", {"set_to": int(moment.timestamp())})
        self.settle()

    def settle(self) -> None:
        """Wait until every webhook has been delivered and processed. Raises SandboxUnavailable."""
        self._call("POST", "deliveries/flush", {"timeout": TIMEOUT_SECONDS / 2})
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while InboxEvent.objects.filter(processed_at=None).exists():
            if time.monotonic() > deadline:
                stuck = InboxEvent.objects.filter(processed_at=None).first()
                raise SandboxUnavailable(f"{stuck} is not processed: {stuck and stuck.last_error}")
            time.sleep(0.05)

    def list_meter_events(self) -> list[dict[str, Any]]:
        """Return the meter events in the order in which they were reported."""
        found: list[dict[str, Any]] = self._call("GET", "meter_events")
        return found

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise SandboxUnavailable(f"{method} {path}: {error}") from error
        if not answer.is_success:
            raise SandboxUnavailable(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
