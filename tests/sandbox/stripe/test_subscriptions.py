"""The life cycle of subscriptions: creation, changes, failed payments, recovery, cancellation."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop

DAY = 86400


def status(shop: Shop, subscription: Any) -> str:
    return str(shop.v1.subscriptions.retrieve(subscription.id).status)


class TestCreate:
    def test_charges_the_flat_price_at_once(self, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly)
        (invoice,) = shop.invoices(ada)
        assert subscription.status == "active"
        assert (invoice.status, invoice.total, invoice.billing_reason) == (
            "paid",
            49900,
            "subscription_create",
        )

    def test_periods_stand_on_the_items(self, sandbox: StripeSandbox, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(), shop.monthly)
        item = subscription["items"].data[0]
        assert "current_period_end" not in subscription
        assert item.current_period_end - item.current_period_start in (28 * DAY, 29 * DAY, 30 * DAY, 31 * DAY)

    def test_without_a_card_is_rejected(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card=None)
        with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
            shop.subscribe(ada, shop.monthly)
        assert "subscription" not in sandbox.control.state()

    def test_default_incomplete_waits_for_a_payment(self, shop: Shop) -> None:
        ada = shop.customer(card=None)
        subscription = shop.subscribe(ada, shop.monthly, payment_behavior="default_incomplete")
        assert subscription.status == "incomplete"
        shop.v1.invoices.pay(
            subscription.latest_invoice,
            {
                "payment_method": shop.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id}).id,
            },
        )
        assert status(shop, subscription) == "active"

    def test_a_declined_card_leaves_it_incomplete(self, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(card="pm_card_chargeCustomerFail"), shop.monthly)
        assert subscription.status == "incomplete"

    def test_error_if_incomplete_leaves_nothing(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card="pm_card_chargeCustomerFail")
        with pytest.raises(stripe.CardError):
            shop.subscribe(ada, shop.monthly, payment_behavior="error_if_incomplete")
        assert not {"subscription", "invoice"} & set(sandbox.control.state())

    def test_incomplete_expires_after_23_hours(self, sandbox: StripeSandbox, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(card="pm_card_chargeCustomerFail"), shop.monthly)
        sandbox.control.advance(hours=23)
        assert status(shop, subscription) == "incomplete_expired"

    def test_a_trial_charges_when_it_is_over(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly, trial_period_days=7)
        assert subscription.status == "trialing"
        sandbox.control.advance(days=7, hours=2)
        assert status(shop, subscription) == "active"
        assert [invoice.total for invoice in shop.invoices(ada)] == [49900, 0]

    def test_usage_in_a_trial_is_free(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.by_the_piece, trial_period_days=7)
        shop.fix(ada, 5)
        sandbox.control.advance(days=8)
        shop.fix(ada)
        sandbox.control.advance(days=32)
        assert [invoice.total for invoice in shop.invoices(ada)] == [1500]

    def test_quantity_on_a_metered_price_is_rejected(self, shop: Shop) -> None:
        items = [{"price": shop.by_the_piece.id, "quantity": 2}]
        with pytest.raises(stripe.InvalidRequestError, match="quantity"):
            shop.v1.subscriptions.create({"customer": shop.customer().id, "items": items})

    def test_legacy_metered_prices_are_rejected(self, shop: Shop) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="backed by meters"):
            shop.v1.prices.create(
                {
                    "product": shop.product.id,
                    "currency": "usd",
                    "unit_amount": 1,
                    "recurring": {"interval": "month", "usage_type": "metered"},
                }
            )


class TestFailedRenewal:
    @pytest.fixture
    def overdue(self, sandbox: StripeSandbox, shop: Shop) -> Any:
        """Return a subscription whose payment for the second month was declined."""
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly)
        sandbox.control.set_card(ada.invoice_settings.default_payment_method, "insufficient_funds")
        sandbox.control.advance(days=32)
        return subscription

    def test_is_past_due(self, sandbox: StripeSandbox, shop: Shop, overdue: Any) -> None:
        (failed,) = sandbox.control.events("invoice.payment_failed")
        assert status(shop, overdue) == "past_due"
        assert failed["data"]["object"]["next_payment_attempt"] - failed["created"] == 3 * DAY
        assert shop.v1.customers.retrieve(overdue.customer).delinquent

    def test_recovers_when_a_retry_succeeds(self, sandbox: StripeSandbox, shop: Shop, overdue: Any) -> None:
        method = shop.v1.payment_methods.list({"customer": overdue.customer}).data[0]
        sandbox.control.set_card(method.id, "success")
        sandbox.control.advance(days=3)
        assert status(shop, overdue) == "active"
        assert not shop.v1.customers.retrieve(overdue.customer).delinquent

    def test_recovers_when_paid_by_hand(self, shop: Shop, overdue: Any) -> None:
        invoice = shop.invoices(shop.v1.customers.retrieve(overdue.customer))[0]
        card = shop.v1.payment_methods.attach("pm_card_mastercard", {"customer": overdue.customer})
        assert shop.v1.invoices.pay(invoice.id, {"payment_method": card.id}).status == "paid"
        assert status(shop, overdue) == "active"

    def test_paying_with_the_declined_card_says_so(self, shop: Shop, overdue: Any) -> None:
        invoice = shop.invoices(shop.v1.customers.retrieve(overdue.customer))[0]
        with pytest.raises(stripe.CardError, match="insufficient funds"):
            shop.v1.invoices.pay(invoice.id)
        assert shop.v1.invoices.retrieve(invoice.id).attempt_count == 2

    def test_a_detached_card_is_not_charged(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        card = ada.invoice_settings.default_payment_method
        subscription = shop.subscribe(ada, shop.monthly, default_payment_method=card)
        shop.v1.payment_methods.detach(card)
        sandbox.control.advance(days=32)
        assert status(shop, subscription) == "past_due"

    def test_is_canceled_after_the_last_retry(self, sandbox: StripeSandbox, shop: Shop, overdue: Any) -> None:
        sandbox.control.advance(days=16)
        (ended,) = sandbox.control.events("customer.subscription.deleted")
        assert status(shop, overdue) == "canceled"
        assert ended["data"]["object"]["cancellation_details"]["reason"] == "payment_failed"


class TestCancel:
    def test_now(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada)
        assert shop.v1.subscriptions.cancel(subscription.id).status == "canceled"
        sandbox.control.advance(days=60)
        assert shop.invoices(ada) == []

    def test_now_with_a_last_invoice(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, timestamp=sandbox.control.now() + 1)
        sandbox.control.advance(10)
        shop.v1.subscriptions.cancel(subscription.id, {"invoice_now": True})
        sandbox.control.advance(hours=1)
        assert [invoice.total for invoice in shop.invoices(ada)] == [1500]

    def test_at_the_end_of_the_period(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, 2)
        shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
        assert status(shop, subscription) == "active"
        sandbox.control.advance(days=60)
        assert status(shop, subscription) == "canceled"
        assert [invoice.total for invoice in shop.invoices(ada)] == [3000]

    def test_can_be_taken_back(self, sandbox: StripeSandbox, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(), shop.by_the_piece)
        shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
        shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
        sandbox.control.advance(days=60)
        assert status(shop, subscription) == "active"

    def test_clearing_the_flag_leaves_an_end_that_was_set_without_it(
        self, sandbox: StripeSandbox, shop: Shop
    ) -> None:
        subscription = shop.subscribe(shop.customer(), shop.by_the_piece)
        end = {"cancel_at": sandbox.control.now() + 86400}
        shop.v1.subscriptions.update(subscription.id, end)
        found = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
        assert found.cancel_at == end["cancel_at"]
        assert shop.v1.subscriptions.update(subscription.id, {"cancel_at": ""}).cancel_at is None
        sandbox.control.advance(days=60)
        assert status(shop, subscription) == "active"

    def test_rejects_both_fields_in_one_call(self, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(), shop.by_the_piece)
        with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
            shop.v1.subscriptions.update(subscription.id, {"cancel_at": "", "cancel_at_period_end": False})

    @pytest.mark.parametrize("is_flag", [True, False])
    def test_only_the_flag_follows_a_new_period(
        self, sandbox: StripeSandbox, shop: Shop, is_flag: bool
    ) -> None:
        subscription = shop.subscribe(shop.customer(), shop.monthly)
        before = subscription["items"].data[0].current_period_end
        end = {"cancel_at_period_end": True} if is_flag else {"cancel_at": before}
        shop.v1.subscriptions.update(subscription.id, end)
        sandbox.control.advance(days=3)
        changed = shop.v1.subscriptions.update(subscription.id, {"billing_cycle_anchor": "now"})
        after = changed["items"].data[0].current_period_end
        assert before < after
        assert changed.cancel_at == (after if is_flag else before)

    def test_canceled_ones_are_not_listed(self, shop: Shop) -> None:
        ada = shop.customer()
        shop.v1.subscriptions.cancel(shop.subscribe(ada, shop.by_the_piece).id)
        assert shop.v1.subscriptions.list({"customer": ada.id}).data == []
        assert len(shop.v1.subscriptions.list({"customer": ada.id, "status": "all"}).data) == 1


class TestChangeItems:
    def to_teams(self, shop: Shop, subscription: Any, **more: Any) -> Any:
        old = subscription["items"].data[0].id
        items = [{"id": old, "deleted": True}, {"price": shop.monthly.id}, {"price": shop.beyond_sixty.id}]
        return shop.v1.subscriptions.update(subscription.id, {"items": items, **more})

    def test_bills_what_was_used_before_at_the_old_price(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, 2)
        sandbox.control.advance(days=1)
        self.to_teams(shop, subscription, proration_behavior="none")
        shop.fix(ada, 61)
        sandbox.control.advance(days=32)
        assert [invoice.total for invoice in shop.invoices(ada)] == [2 * 1500 + 800 + 49900]

    def test_starts_a_new_cycle_when_asked(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, 2)
        sandbox.control.advance(days=10)
        changed = self.to_teams(shop, subscription, billing_cycle_anchor="now")
        (invoice,) = shop.invoices(ada)
        assert (invoice.total, invoice.status) == (49900 + 3000, "paid")
        assert changed["items"].data[0].current_period_start == changed.billing_cycle_anchor

    def test_prorates_at_once_when_asked(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        item = subscription["items"].data[0]
        half = (item.current_period_end - item.current_period_start) // 2
        sandbox.control.set_to(item.current_period_start + half)
        self.to_teams(shop, subscription, proration_behavior="always_invoice")
        assert [invoice.total for invoice in shop.invoices(ada)] == [24950]

    @pytest.mark.parametrize("later", [0, 3600])
    def test_charges_what_was_previewed_for_its_proration_date(
        self, sandbox: StripeSandbox, shop: Shop, later: int
    ) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        shop.fix(ada, 2)
        sandbox.control.advance(days=11)
        items = [
            {"id": subscription["items"].data[0].id, "deleted": True},
            {"price": shop.monthly.id},
            {"price": shop.beyond_sixty.id},
        ]
        change: Any = {"items": items, "proration_behavior": "always_invoice"}
        change["proration_date"] = sandbox.control.now()
        preview = shop.v1.invoices.create_preview(
            {"subscription": subscription.id, "subscription_details": change}
        )
        sandbox.control.advance(later)
        shop.v1.subscriptions.update(subscription.id, change)
        assert [invoice.total for invoice in shop.invoices(ada)] == [preview.total]

    def test_a_proration_date_outside_the_period_is_rejected(self, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(), shop.by_the_piece)
        with pytest.raises(stripe.InvalidRequestError, match="proration date"):
            self.to_teams(shop, subscription, proration_date=1)

    def test_shows_the_new_items(self, shop: Shop) -> None:
        subscription = shop.subscribe(shop.customer(), shop.by_the_piece)
        changed = self.to_teams(shop, subscription)
        listed = shop.v1.subscription_items.list({"subscription": subscription.id})
        assert [each.price.id for each in listed.data] == [shop.monthly.id, shop.beyond_sixty.id]
        assert len(changed["items"].data) == 2


class TestDeletedCustomer:
    def test_ends_everything(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece)
        sandbox.control.set_to(subscription["items"].data[0].current_period_end)
        shop.v1.customers.delete(ada.id)
        sandbox.control.advance(days=60)
        assert status(shop, subscription) == "canceled"
        assert shop.v1.customers.retrieve(ada.id).deleted
        assert len(sandbox.control.events("invoice.deleted")) == 1
