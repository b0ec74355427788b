"""Client of the sandbox Stripe with the faults that the alert tests inject."""

import time
from typing import Any

from billing.plans import METER_EVENT_NAME
from billing.stripe_gateway.webhooks import METER_ERROR
from sandbox.stripe_client import KEY, StripeSandboxClient

UNAVAILABLE = {"kind": "status", "status": 503, "times": None}
REJECT_USAGE = {
    "kind": "status",
    "status": 400,
    "method": "POST",
    "path": "*/billing/meter_events",
    "times": None,
}
# The longest month, and the hour for which its invoice stays a draft.
A_MONTH_AND_A_DRAFT = 32 * 86400


class FaultyStripe(StripeSandboxClient):
    """A client with the faults and events of the alert tests. Raises httpx.HTTPError."""

    def make_unavailable(self) -> None:
        self.add_fault(UNAVAILABLE)

    def reject_usage(self) -> None:
        self.add_fault(REJECT_USAGE)

    def create_meter_error_endpoint(self, url: str) -> tuple[str, str]:
        """Create an endpoint for thin events; return its id and secret."""
        made = self._call(
            "POST", "/_sandbox/webhook_endpoints", {"url": url, "enabled_events": [METER_ERROR]}
        )
        return made["id"], made["secret"]

    def report_meter_error(self, identifier: str) -> None:
        """Send a thin event that says that accepted usage was not counted."""
        self._call("POST", "/_sandbox/meter_errors", {"identifier": identifier})

    def decline_cards(self) -> None:
        for customer in self.list_all("customers"):
            for method in self.list_all("payment_methods", customer=customer["id"], type="card"):
                self._call(
                    "POST", f"/_sandbox/payment_methods/{method['id']}", {"behavior": "insufficient_funds"}
                )

    def end_month(self) -> None:
        """Renew every subscription, and collect its invoice."""
        self.move_to(self.now() + A_MONTH_AND_A_DRAFT)

    def touch_customers(self) -> None:
        """Change some customers, so that Stripe delivers a webhook for each."""
        for customer in self.list_all("customers")[:8]:
            self._write(f"customers/{customer['id']}", {"metadata[touched]": str(time.time())})

    def add_unknown_usage(self, stripe_customer_id: str) -> None:
        """Send a meter event that our ledger has no row for."""
        self._write(
            "billing/meter_events",
            {
                "event_name": METER_EVENT_NAME,
                "payload[stripe_customer_id]": stripe_customer_id,
                "payload[value]": "500",
            },
        )

    def _write(self, path: str, fields: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        self._http.post(f"/v1/{path}", data=fields, headers=headers).raise_for_status()
