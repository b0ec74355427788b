"""Refunds and disputes."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop


@pytest.fixture
def charge(shop: Shop) -> Any:
    ada = shop.customer()
    shop.subscribe(ada, shop.monthly)
    return shop.v1.charges.list({"customer": ada.id}).data[0]


class TestRefund:
    def test_gives_all_of_a_charge_back(self, sandbox: StripeSandbox, shop: Shop, charge: Any) -> None:
        refund = shop.v1.refunds.create({"charge": charge.id, "reason": "requested_by_customer"})
        after = shop.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
        assert (refund.amount, refund.status, refund.payment_intent) == (
            49900,
            "succeeded",
            charge.payment_intent,
        )
        assert (after.amount_refunded, after.refunded) == (49900, True)
        assert [each.id for each in after.refunds.data] == [refund.id]
        (event,) = sandbox.control.events("charge.refunded")
        assert event["data"]["previous_attributes"] == {"amount_refunded": 0, "refunded": False}
        assert sandbox.control.events("refund.created")[0]["data"]["object"]["id"] == refund.id

    def test_gives_a_part_back_by_its_payment_intent(self, shop: Shop, charge: Any) -> None:
        for cents in (1000, 500):
            shop.v1.refunds.create({"payment_intent": charge.payment_intent, "amount": cents})
        after = shop.v1.charges.retrieve(charge.id)
        assert (after.amount_refunded, after.refunded) == (1500, False)
        assert len(shop.v1.refunds.list({"charge": charge.id}).data) == 2

    def test_never_gives_more_than_was_paid(self, shop: Shop, charge: Any) -> None:
        shop.v1.refunds.create({"charge": charge.id, "amount": 40000})
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as rejected:
            shop.v1.refunds.create({"charge": charge.id, "amount": 9901})
        assert rejected.value.param == "amount"

    def test_is_rejected_when_nothing_is_left(self, shop: Shop, charge: Any) -> None:
        shop.v1.refunds.create({"charge": charge.id})
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.refunds.create({"charge": charge.id})
        assert rejected.value.code == "charge_already_refunded"

    def test_leaves_the_invoice_paid(self, shop: Shop, charge: Any) -> None:
        shop.v1.refunds.create({"charge": charge.id})
        assert shop.v1.invoices.list({"customer": charge.customer}).data[0].status == "paid"


class TestDispute:
    def test_takes_the_money(self, sandbox: StripeSandbox, shop: Shop, charge: Any) -> None:
        opened = sandbox.control.dispute(charge.id, "unrecognized")
        dispute = shop.v1.disputes.retrieve(opened["id"])
        assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "unrecognized", 49900)
        assert [(each.amount, each.fee) for each in dispute.balance_transactions] == [(-49900, 1500)]
        assert shop.v1.charges.retrieve(charge.id).disputed
        assert sandbox.control.events("charge.dispute.created")[0]["data"]["object"]["id"] == dispute.id

    @pytest.mark.parametrize(("won", "status", "net"), [(True, "won", -1500), (False, "lost", -51400)])
    def test_is_decided(
        self, sandbox: StripeSandbox, shop: Shop, charge: Any, won: bool, status: str, net: int
    ) -> None:
        opened = sandbox.control.dispute(charge.id)
        sandbox.control.close_dispute(opened["id"], won=won)
        dispute = shop.v1.disputes.retrieve(opened["id"])
        assert dispute.status == status
        assert sum(each.net for each in dispute.balance_transactions) == net
        (event,) = sandbox.control.events("charge.dispute.closed")
        assert event["data"]["object"]["status"] == status

    def test_forbids_a_refund(self, sandbox: StripeSandbox, shop: Shop, charge: Any) -> None:
        sandbox.control.dispute(charge.id)
        with pytest.raises(stripe.InvalidRequestError) as rejected:
            shop.v1.refunds.create({"charge": charge.id})
        assert rejected.value.code == "charge_disputed"

    def test_may_be_accepted(self, sandbox: StripeSandbox, shop: Shop, charge: Any) -> None:
        opened = sandbox.control.dispute(charge.id)
        assert shop.v1.disputes.close(opened["id"]).status == "lost"
