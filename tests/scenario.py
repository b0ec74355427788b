"""The steps of one customer's lifecycle: fix, choose a plan, change it, fail the card, pay, cancel.

Three drivers implement them. `StripeScenario` does everything at Stripe, so that RSOLV is notified by
webhooks alone. `ApiScenario` calls our services and stores fixes through the API, as the Action does. The
third uses a browser and separate processes: tests/browser/test_customer_scenario.py.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from django.utils import timezone

from billing.models import BillingAccount
from billing.plans import PLANS
from billing.selectors.invoices import list_invoices
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.change_plan import ChangePreview, change_plan, preview_change
from billing.services.subscriptions.start_checkout import start_checkout
from billing.services.webhooks.handlers import ENDPOINT_EVENTS
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.prices import find_price_ids
from customers.models import Customer
from tests.billing.billing_env import BillingEnv
from tests.conftest import ApiClient, make_client
from tests.factories import CustomerFactory

STORE = "/api/v1/phases/store"


@dataclass(kw_only=True)
class Scenario(ABC):
    """Steps that all drivers share: store fixes, each of a new issue, and pass time."""

    issues: int = 0

    def fix(self, count: int) -> None:
        """Store fixes of new issues, and wait until Stripe's meter has summed them up."""
        for _ in range(count):
            self.issues += 1
            self.store_fix(self.issues)
        self.wait_for_meter()

    def store_fix(self, issue: int) -> None:
        self.store_phase(
            {
                "phase": "mitigation",
                "repo": "acme/shop",
                "commitSha": "c",
                "issueNumber": issue,
                "data": {"fixed": True, "testsPass": True},
            }
        )

    def close_month(self) -> None:
        """Move the clock past the period's end and the hour until its invoice is final."""
        self.pass_time(days=31, hours=2)

    def read_balance_cents(self) -> int:
        """Return the credit that Stripe keeps for later invoices."""
        return -int(self.list_objects("customer")[0]["balance"])

    @abstractmethod
    def store_phase(self, body: dict[str, Any]) -> None: ...

    @abstractmethod
    def wait_for_meter(self) -> None: ...

    @abstractmethod
    def pass_time(self, *, days: int = 0, hours: int = 0, seconds: int = 0) -> None: ...

    @abstractmethod
    def list_objects(self, kind: str) -> list[dict[str, Any]]:
        """Return the customer's objects at Stripe, oldest first."""


@dataclass(kw_only=True)
class BillingScenario(Scenario):
    """A scenario in the billing environment: RSOLV and its sandbox Stripe in this process."""

    billing_env: BillingEnv
    client: ApiClient
    plan: str

    @classmethod
    def begin(cls, billing_env: BillingEnv, plan: str = "trial") -> Self:
        """Begin with a new customer, on the plan."""
        customer = CustomerFactory() if plan == "trial" else billing_env.subscribe(plan)
        return cls(billing_env=billing_env, client=make_client(customer), plan=plan)

    @property
    def customer(self) -> Customer:
        assert self.client.customer
        return self.client.customer

    def store_phase(self, body: dict[str, Any]) -> None:
        with self.billing_env.run_tasks():
            assert self.client.post(STORE, body).status_code == 200

    def wait_for_meter(self) -> None:
        self.billing_env.pass_time(hours=2)

    def pass_time(self, *, days: int = 0, hours: int = 0, seconds: int = 0) -> None:
        """Move Stripe's clock."""
        self.billing_env.stripe.control.advance(seconds, hours=hours, days=days)

    def fail_card(self) -> None:
        """Let the card decline, and close the month that it should pay."""
        self.set_card("insufficient_funds")
        self.close_month()

    def pay(self) -> None:
        """Pay what is open with a card that has funds again."""
        self.set_card("success")
        for invoice in self.list_objects("invoice"):
            if invoice["status"] == "open":
                get_client().v1.invoices.pay(invoice["id"])

    def set_card(self, behavior: str) -> None:
        for method in self.list_objects("payment_method"):
            self.billing_env.stripe.control.set_card(method["id"], behavior)

    def list_objects(self, kind: str) -> list[dict[str, Any]]:
        found = self.billing_env.stripe.control.objects(kind)
        return [each for each in found if self.stripe_id in (each.get("customer"), each["id"])]

    @property
    def stripe_id(self) -> str:
        return str(BillingAccount.objects.get(customer=self.customer).stripe_customer_id)


@dataclass(kw_only=True)
class ApiScenario(BillingScenario):
    """A customer who uses our services; Stripe's events arrive as soon as they are sent."""

    def pass_time(self, *, days: int = 0, hours: int = 0, seconds: int = 0) -> None:
        super().pass_time(days=days, hours=hours, seconds=seconds)
        self.billing_env.deliver()

    def choose_plan(self, plan: str) -> None:
        """Subscribe with Stripe's Checkout."""
        url = start_checkout(
            customer=self.customer, plan=PLANS[plan], return_url="https://rsolv.test/", at=timezone.now()
        )
        self.billing_env.stripe.control.complete_checkout(urlsplit(url).path.rpartition("/")[2])
        self.billing_env.deliver()

    def change_plan(self, plan: str) -> ChangePreview:
        """Change the plan as previewed; return the preview."""
        preview = preview_change(customer=self.customer, plan=PLANS[plan], at=self.billing_env.now())
        change_plan(customer=self.customer, plan=PLANS[plan], preview_token=preview.token)
        self.billing_env.deliver()
        return preview

    def cancel_plan(self) -> None:
        """End the plan now, and wait until its last invoice is final."""
        cancel_plan(customer=self.customer)
        self.billing_env.deliver()
        self.pass_time(hours=2)

    def pay(self) -> None:
        super().pay()
        self.billing_env.deliver()

    def read_status(self) -> tuple[str, str]:
        """Return the plan and the status of its subscription."""
        account = self.billing_env.account(self.customer)
        return account.plan, account.status

    def read_newest_invoice(self) -> tuple[str, int, int]:
        """Return its status, its total in cents and the fixes that it charges for."""
        invoice = list_invoices(customer=self.customer, limit=1)[0]
        return invoice.status, invoice.total_cents, invoice.fixes


@dataclass(kw_only=True)
class StripeScenario(BillingScenario):
    """A subscription that changes at Stripe alone. `plan`, `status` and `refunds` are what RSOLV must find.

    RSOLV gets no event until the test delivers it: `take_events` gives the new ones, in the order of sending.
    """

    status: str = "active"
    refunds: int = 0
    taken: set[str] = field(default_factory=set)

    def run(self, step: str) -> None:
        getattr(self, step)()

    def take_events(self) -> list[dict[str, Any]]:
        """Return the events about this customer that were not taken before, oldest first."""
        events = [
            event
            for event in self.billing_env.stripe.control.events()
            if event["type"] in ENDPOINT_EVENTS
            and event["id"] not in self.taken
            and self._is_ours(event["data"]["object"])
        ]
        self.taken |= {event["id"] for event in events}
        return events

    def choose_plan(self) -> None:
        self.set_card("success")
        self._client.subscriptions.create({"customer": self.stripe_id, "items": self._list_items()})
        self.status = "active"

    def change_plan(self) -> None:
        self.plan = "payg" if self.plan == "teams" else "teams"
        subscription = self._read_subscription()
        removed: list[Any] = [{"id": item["id"], "deleted": True} for item in subscription["items"]["data"]]
        self._client.subscriptions.update(
            subscription["id"],
            {"items": removed + self._list_items(), "proration_behavior": "create_prorations"},
        )

    def cancel_plan(self) -> None:
        self._client.subscriptions.cancel(self._read_subscription()["id"])
        self.status = "canceled"

    def cancel_plan_at_period_end(self) -> None:
        self._client.subscriptions.update(self._read_subscription()["id"], {"cancel_at_period_end": True})
        self.pass_time(days=32)
        self.status = "canceled"

    def fail_card(self) -> None:
        super().fail_card()
        # Credit of a change of plan may pay the renewal without the card, which leaves the plan active.
        self.status = self._read_subscription()["status"]

    def pay(self) -> None:
        super().pay()
        self.status = "active"

    def refund(self) -> None:
        charges = [each for each in self.list_objects("charge") if each["paid"] and not each["refunded"]]
        if charges:
            self._client.refunds.create({"charge": charges[-1]["id"], "amount": 100})
            self.refunds += 1

    @property
    def _client(self) -> Any:
        return get_client().v1

    def _is_ours(self, subject: dict[str, Any]) -> bool:
        charges = {each["id"] for each in self.list_objects("charge")}
        return (
            self.stripe_id in (subject.get("customer"), subject.get("id")) or subject.get("charge") in charges
        )

    def _read_subscription(self) -> dict[str, Any]:
        return self.list_objects("subscription")[-1]

    def _list_items(self) -> list[Any]:
        return [{"price": price_id} for price_id in find_price_ids(PLANS[self.plan]).values()]
