"""The sandbox's Stripe from outside, with what a watch does to it beside what chaos does."""

import time
from typing import Any

from billing.plans import METER_EVENT_NAME
from billing.stripe_gateway.webhooks import METER_ERROR
from sandbox.stripe_outside import KEY, StripeOutside

AWAY = {"kind": "status", "status": 503, "times": None}
REFUSES_USAGE = {
    "kind": "status",
    "status": 400,
    "method": "POST",
    "path": "*/billing/meter_events",
    "times": None,
}
A_MONTH_AND_A_DRAFT = 32 * 86400


class WatchedStripe(StripeOutside):
    def go_away(self) -> None:
        self.add_fault(AWAY)

    def refuse_usage(self) -> None:
        self.add_fault(REFUSES_USAGE)

    def listen_for_meter_errors(self, url: str) -> tuple[str, str]:
        """An endpoint for thin events; its id and secret."""
        made = self._call(
            "POST", "/_sandbox/webhook_endpoints", {"url": url, "enabled_events": [METER_ERROR]}
        )
        return made["id"], made["secret"]

    def find_usage_wrong(self, identifier: str) -> None:
        """Usage that was taken is not counted after all, which a thin event tells."""
        self._call("POST", "/_sandbox/meter_errors", {"identifier": identifier})

    def decline_cards(self) -> None:
        for customer in self.list_all("customers"):
            for method in self.list_all("payment_methods", customer=customer["id"], type="card"):
                self._call(
                    "POST", f"/_sandbox/payment_methods/{method['id']}", {"behaviour": "insufficient_funds"}
                )

    def end_month(self) -> None:
        """Every subscription renews, and its invoice is collected."""
        self.move_to(self.now() + A_MONTH_AND_A_DRAFT)

    def touch_customers(self) -> None:
        """Something about some of them changes at Stripe, which it tells."""
        for customer in self.list_all("customers")[:8]:
            self._write(f"customers/{customer['id']}", {"metadata[touched]": str(time.time())})

    def count_by_hand(self, stripe_customer_id: str) -> None:
        """Usage that our ledger knows nothing of."""
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
