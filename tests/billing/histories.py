"""Short lives of a subscription at Stripe, of which we hear by webhooks alone; and what must come of them."""

from dataclasses import dataclass, field
from typing import Any

from billing.models import BillingAccount
from billing.plans import PLANS
from billing.services.webhooks.handlers import ENDPOINT_EVENTS
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.prices import find_price_ids
from customers.models import Customer
from tests.billing.billing_env import BillingEnv

# What may follow when a subscription is active, past due or canceled.
STEPS = {
    "active": ("fail", "change", "end_later", "cancel", "refund"),
    "past_due": ("pay", "cancel"),
    "canceled": ("resubscribe",),
}


@dataclass
class Life:
    """Lives a history at Stripe's side; `plan`, `status` and `refunds` say what we must know in the end."""

    billing_env: BillingEnv
    customer: Customer
    plan: str = "teams"
    status: str = "active"
    refunds: int = 0
    ends: bool = False
    heard: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, billing_env: BillingEnv) -> "Life":
        return cls(billing_env, billing_env.subscribe("teams"))

    def live(self, step: str) -> None:
        getattr(self, step)()

    def list_news(self) -> list[dict[str, Any]]:
        """What Stripe sends us about this customer and we did not hear yet, oldest first."""
        news = [
            event
            for event in self.billing_env.stripe.control.events()
            if event["type"] in ENDPOINT_EVENTS
            and event["id"] not in self.heard
            and self._is_ours(event["data"]["object"])
        ]
        self.heard |= {event["id"] for event in news}
        return news

    def fail(self) -> None:
        self._set_card("insufficient_funds")
        self.billing_env.stripe.control.advance(days=31, hours=2)
        self.status = "past_due"

    def pay(self) -> None:
        self._set_card("success")
        for invoice in self._list("invoice"):
            if invoice["status"] == "open":
                self._client.invoices.pay(invoice["id"])
        self.status = "active"

    def change(self) -> None:
        self.plan = "payg" if self.plan == "teams" else "teams"
        subscription = self._read_subscription()
        removed: list[Any] = [{"id": item["id"], "deleted": True} for item in subscription["items"]["data"]]
        self._client.subscriptions.update(
            subscription["id"],
            {"items": removed + self._list_items(), "proration_behavior": "create_prorations"},
        )

    def end_later(self) -> None:
        self._client.subscriptions.update(self._read_subscription()["id"], {"cancel_at_period_end": True})
        self.billing_env.stripe.control.advance(days=32)
        self.status = "canceled"

    def cancel(self) -> None:
        self._client.subscriptions.cancel(self._read_subscription()["id"])
        self.status = "canceled"

    def resubscribe(self) -> None:
        self._set_card("success")
        self._client.subscriptions.create({"customer": self._stripe_id, "items": self._list_items()})
        self.status = "active"

    def refund(self) -> None:
        charges = [each for each in self._list("charge") if each["paid"] and not each["refunded"]]
        if charges:
            self._client.refunds.create({"charge": charges[-1]["id"], "amount": 100})
            self.refunds += 1

    @property
    def _client(self) -> Any:
        return get_client().v1

    @property
    def _stripe_id(self) -> str:
        return str(BillingAccount.objects.get(customer=self.customer).stripe_customer_id)

    def _is_ours(self, subject: dict[str, Any]) -> bool:
        charges = {each["id"] for each in self._list("charge")}
        return (
            self._stripe_id in (subject.get("customer"), subject.get("id"))
            or subject.get("charge") in charges
        )

    def _list(self, kind: str) -> list[dict[str, Any]]:
        return [
            each
            for each in self.billing_env.stripe.control.objects(kind)
            if each["customer"] == self._stripe_id
        ]

    def _read_subscription(self) -> dict[str, Any]:
        return self._list("subscription")[-1]

    def _list_items(self) -> list[Any]:
        prices = find_price_ids(PLANS[self.plan])
        return [{"price": price_id} for price_id in prices.values()]

    def _set_card(self, behavior: str) -> None:
        for method in self._list("payment_method"):
            self.billing_env.stripe.control.set_card(method["id"], behavior)
