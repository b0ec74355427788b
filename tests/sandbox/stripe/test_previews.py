"""An invoice preview equals the later invoice to the cent."""

from dataclasses import dataclass
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop


@dataclass(frozen=True)
class Case:
    to_teams: bool
    at: float  # The part of the period that has passed.
    fixes: int
    balance: int
    behavior: str


CASES = st.builds(
    Case,
    st.booleans(),
    st.floats(0, 0.999),
    st.integers(0, 70),
    st.integers(-60_000, 2_000),
    st.sampled_from(["always_invoice", "create_prorations", "none"]),
)


def sums(invoice: Any) -> tuple[Any, ...]:
    lines = [(line.amount, line.description) for line in invoice.lines.data]
    return (
        invoice.total,
        invoice.amount_due,
        invoice.starting_balance,
        invoice.ending_balance,
        lines,
    )


def counts(sandbox: StripeSandbox) -> dict[str, int]:
    return {kind: n for kind, n in sandbox.control.state().items() if not kind.startswith("sandbox.")}


class Change:
    """A customer who changes between plans in the middle of a period."""

    def __init__(self, sandbox: StripeSandbox, shop: Shop, case: Case) -> None:
        self.sandbox, self.shop, self.case = sandbox, shop, case
        self.customer = shop.customer()
        payg, teams = [shop.by_the_piece], [shop.monthly, shop.beyond_sixty]
        old, new = (payg, teams) if case.to_teams else (teams, payg)
        self.subscription = shop.subscribe(self.customer, *old)
        items = self.subscription["items"].data
        self.start, self.end = items[0].current_period_start, items[0].current_period_end
        gone = [{"id": item.id, "deleted": True} for item in items]
        self.items = [*gone, *({"price": price.id} for price in new)]

    def wait(self) -> None:
        """Report usage and advance the clock, because usage is counted by the second."""
        self.shop.fix(self.customer, self.case.fixes)
        timestamp = self.start + int((self.end - self.start) * self.case.at)
        self.sandbox.control.set_to(max(timestamp, self.sandbox.control.now() + 5))
        if self.case.balance:
            self.shop.v1.customers.update(self.customer.id, {"balance": self.case.balance})
        now = self.sandbox.control.now()
        self.details = {
            "items": self.items,
            "proration_behavior": self.case.behavior,
            "proration_date": now,
        }

    def preview(self) -> Any:
        given = {"subscription": self.subscription.id, "subscription_details": self.details}
        return self.shop.v1.invoices.create_preview(given)

    def make(self) -> Any:
        """Make the change and return its finalized invoice."""
        self.shop.v1.subscriptions.update(self.subscription.id, self.details)
        if self.case.behavior != "always_invoice":
            self.sandbox.control.set_to(self.end + 3600)
        return self.shop.invoices(self.customer)[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=CASES)
def test_what_is_previewed_is_what_happens(
    sandbox: StripeSandbox, client: stripe.StripeClient, case: Case
) -> None:
    sandbox.reset()
    change = Change(sandbox, Shop(client), case)
    change.wait()
    preview = change.preview()
    assert sums(change.make()) == sums(preview)


class TestPreview:
    def test_leaves_everything_as_it_was(self, sandbox: StripeSandbox, shop: Shop) -> None:
        change = Change(sandbox, shop, Case(True, 0.5, 3, -100, "always_invoice"))
        change.wait()
        before = (counts(sandbox), shop.v1.subscriptions.retrieve(change.subscription.id))
        preview = change.preview()
        after = (counts(sandbox), shop.v1.subscriptions.retrieve(change.subscription.id))
        assert before == after
        assert (preview.status, preview.number, preview.amount_paid) == ("draft", None, 0)
        with pytest.raises(stripe.InvalidRequestError):
            shop.v1.invoices.retrieve(preview.id)

    def test_of_a_new_subscription(self, shop: Shop) -> None:
        ada = shop.customer()
        wanted = {"customer": ada.id, "subscription_details": {"items": [{"price": shop.monthly.id}]}}
        assert shop.v1.invoices.create_preview(wanted).amount_due == 49900
        assert shop.v1.subscriptions.list({"customer": ada.id}).data == []

    def test_of_a_cancellation_now(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, 2)
        sandbox.control.advance(days=1)
        given = {"subscription": subscription.id, "subscription_details": {"cancel_now": True}}
        assert shop.v1.invoices.create_preview(given).total == 3000
        assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"

    def test_there_is_none_after_the_end(self, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(), shop.monthly)
        shop.v1.subscriptions.cancel(subscription.id)
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.invoices.create_preview({"subscription": subscription.id})
        assert rejected.value.code == "invoice_upcoming_none"


class TestDowngrade:
    def test_at_once_leaves_the_unused_time_as_credit(self, sandbox: StripeSandbox, shop: Shop) -> None:
        change = Change(sandbox, shop, Case(False, 0.5, 0, 0, "always_invoice"))
        change.wait()
        invoice = change.make()
        kept = shop.v1.customers.retrieve(change.customer.id).balance
        assert (invoice.total, invoice.amount_due, invoice.status) == (kept, 0, "paid")
        assert -24960 < kept < -24940
        assert invoice.lines.data[0].description.startswith("Unused time on Fix after ")

    def test_later_pays_with_it(self, sandbox: StripeSandbox, shop: Shop) -> None:
        change = Change(sandbox, shop, Case(False, 0.5, 0, 0, "always_invoice"))
        change.wait()
        credit = -change.make().total
        shop.fix(change.customer, 20)
        sandbox.control.set_to(change.end + 3600)
        assert shop.invoices(change.customer)[0].amount_due == 20 * 1500 - credit

    def test_clear_usage_forgets_what_was_used(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, 5)
        old = {"id": subscription["items"].data[0].id, "deleted": True, "clear_usage": True}
        items = [old, {"price": shop.beyond_sixty.id}]
        shop.v1.subscriptions.update(subscription.id, {"items": items, "proration_behavior": "none"})
        sandbox.control.advance(days=32)
        assert shop.invoices(ada)[0].total == 0


class TestDunning:
    def test_the_latest_invoice_decides(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly)
        card = ada.invoice_settings.default_payment_method
        sandbox.control.set_card(card, "insufficient_funds")
        sandbox.control.advance(days=31)
        sandbox.control.advance(hours=2)
        overdue = shop.invoices(ada)[0]
        shop.v1.invoices.update(overdue.id, {"auto_advance": False})
        assert shop.v1.subscriptions.retrieve(subscription.id).status == "past_due"
        shop.v1.invoices.mark_uncollectible(overdue.id)
        assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"
        assert not shop.v1.customers.retrieve(ada.id).delinquent

    def test_a_void_first_invoice_ends_what_never_began(self, shop: Shop) -> None:
        ada = shop.customer("pm_card_chargeCustomerFail")
        subscription = shop.subscribe(ada, shop.monthly)
        shop.v1.invoices.void_invoice(shop.invoices(ada)[0].id)
        assert shop.v1.subscriptions.retrieve(subscription.id).status == "incomplete_expired"


class TestResubscribing:
    def test_starts_anew_beside_the_canceled_one(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        first = shop.subscribe(ada, shop.monthly)
        shop.v1.subscriptions.update(first.id, {"cancel_at_period_end": True})
        sandbox.control.advance(days=40)
        second = shop.subscribe(ada, shop.monthly)
        found = shop.v1.subscriptions.list({"customer": ada.id, "status": "all"}).data
        assert [(each.id, each.status) for each in found] == [(second.id, "active"), (first.id, "canceled")]
        assert [each.total for each in shop.invoices(ada)] == [49900, 49900]

    def test_a_cancellation_taken_back_renews(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly)
        for ending in (True, False):
            shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": ending})
        sandbox.control.advance(days=32)
        after = shop.v1.subscriptions.retrieve(subscription.id)
        assert (after.status, after.cancel_at, after.canceled_at) == ("active", None, None)
        assert len(shop.invoices(ada)) == 2
