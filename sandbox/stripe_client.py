"""Client of the sandbox Stripe: its control API, and the list endpoints of Stripe's API."""

from typing import Any

import httpx

KEY = "sk_test_" + "chaos" * 5
TIMEOUT_SECONDS = 60


class StripeSandboxClient:
    """A client of one sandbox. Every method raises httpx.HTTPError if it fails."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def add_fault(self, rule: dict[str, Any]) -> int:
        return int(self._call("POST", "/_sandbox/faults", rule)["id"])

    def list_hits(self) -> dict[int, int]:
        """Return how often each active rule has applied, by the rule's id."""
        return {rule["id"]: rule["hits"] for rule in self._call("GET", "/_sandbox/faults")}

    def clear_faults(self) -> None:
        self._call("DELETE", "/_sandbox/faults")

    def now(self) -> int:
        return int(self._call("GET", "/_sandbox/clock")["now"])

    def move_to(self, moment: int) -> None:
        """Move the clock forward to a Unix timestamp. Does nothing if that time has passed."""
        if moment > self.now():
            self._call("POST", "/_sandbox/clock", {"set_to": moment})

    def count_undelivered(self) -> int:
        """Return the number of webhooks that are yet to be delivered or retried."""
        answer = self._http.post("/_sandbox/deliveries/flush", json={"timeout": 0})
        return int(answer.json()["pending"])

    def list_meter_events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/_sandbox/meter_events")
        return found

    def list_all(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return all objects of a list endpoint, page by page."""
        found: list[dict[str, Any]] = []
        has_more = True
        while has_more:
            page = {"limit": "100", **query} | ({"starting_after": found[-1]["id"]} if found else {})
            answer = self._http.get(f"/v1/{path}", params=page, headers={"Authorization": f"Bearer {KEY}"})
            answer.raise_for_status()
            found += answer.json()["data"]
            has_more = answer.json()["has_more"]
        return found

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()
