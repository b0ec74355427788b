"""Stripe's time, and the wait until its news has reached us."""

import time
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from billing.models import InboxEvent

PATIENCE_SECONDS = 60


class SandboxSilent(Exception):
    """There is no sandbox at the address of Stripe, or its news does not arrive."""


class Outside(Protocol):
    """A Stripe whose clock can be moved forward."""

    def now(self) -> datetime: ...

    def move_to(self, instant: datetime) -> None:
        """Let time pass until the instant, and return once all news of it has been acted on."""


class HttpOutside:
    """A running sandbox, whose webhooks a running web process and worker take in."""

    def __init__(self, stripe_url: str) -> None:
        self._http = httpx.Client(
            base_url=f"{stripe_url}/_sandbox/", timeout=PATIENCE_SECONDS, trust_env=False
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._call("GET", "clock")["now"], UTC)

    def move_to(self, instant: datetime) -> None:
        """Raises SandboxSilent."""
        self._call("POST", "clock", {"set_to": int(instant.timestamp())})
        self.settle()

    def settle(self) -> None:
        """Wait until every webhook has been delivered and processed. Raises SandboxSilent."""
        self._call("POST", "deliveries/flush", {"timeout": PATIENCE_SECONDS / 2})
        deadline = time.monotonic() + PATIENCE_SECONDS
        while InboxEvent.objects.filter(processed_at=None).exists():
            if time.monotonic() > deadline:
                stuck = InboxEvent.objects.filter(processed_at=None).first()
                raise SandboxSilent(f"{stuck} is not processed: {stuck and stuck.last_error}")
            time.sleep(0.05)

    def list_meter_events(self) -> list[dict[str, Any]]:
        """Usage as it was reported, oldest first."""
        found: list[dict[str, Any]] = self._call("GET", "meter_events")
        return found

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise SandboxSilent(f"{method} {path}: {error}") from error
        if not answer.is_success:
            raise SandboxSilent(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
