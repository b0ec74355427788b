import pytest
from django.utils import timezone

from billing.models import Discrepancy, Notice
from billing.plans import PAYG, TEAMS
from billing.services.reconciliation.reconcile import reconcile
from billing.services.retry_now import retry_now
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.subscriptions import create_subscription
from customers.models import AuditEntry
from tests.billing.ledger import age_reports, report_fixes


@pytest.fixture
def customer(world):
    customer = world.subscribe("payg")
    world.deliver()
    world.stripe.control.advance(5)
    return customer


def subscribe_again(world, customer, plan=TEAMS):
    stripe_customer_id = world.account(customer).stripe_customer_id
    return create_subscription(stripe_customer_id=stripe_customer_id, plan=plan, wish="again", attempt=0)


def read_balance_cents(world):
    return -world.stripe.control.objects("customer")[0]["balance"]


class TestASecondSubscription:
    def test_ends_and_is_credited_once(self, world, customer):
        first = world.account(customer).subscription_id
        subscribe_again(world, customer)
        world.deliver()
        world.deliver(events=world.stripe.control.events())
        found = {each["id"]: each["status"] for each in world.stripe.control.objects("subscription")}
        assert sorted(found.values()) == ["active", "canceled"] and found[first] == "active"
        assert (world.account(customer).plan, read_balance_cents(world)) == ("payg", 49900)

    def test_is_none_while_the_news_of_the_first_s_end_is_late(self, world, customer):
        first = world.account(customer).subscription_id
        get_client().v1.subscriptions.cancel(first)
        subscribe_again(world, customer)
        news = [each for each in world.stripe.control.events() if each["data"]["object"].get("id") != first]
        world.deliver(events=news)
        found = {each["id"]: each["status"] for each in world.stripe.control.objects("subscription")}
        assert sorted(found.values()) == ["active", "canceled"] and found[first] == "canceled"
        assert (world.account(customer).plan, read_balance_cents(world)) == ("teams", 0)

    def test_is_credited_without_what_was_refunded(self, world, customer):
        subscribe_again(world, customer)
        (paid,) = [each for each in world.stripe.control.objects("payment_intent") if each["amount"] == 49900]
        get_client().v1.refunds.create({"payment_intent": paid["id"], "amount": 10000})
        world.deliver()
        assert read_balance_cents(world) == 39900

    def test_is_told_to_the_customer_and_written_down(self, world, customer):
        subscribe_again(world, customer)
        world.deliver()
        assert Notice.objects.get(kind="second_ended").data == {"amount_cents": 49900}
        entry = AuditEntry.objects.get(act="plan_canceled")
        assert "second subscription" in entry.subject and "499.00 USD" in entry.subject

    def test_has_its_fixes_invoiced_once(self, world, customer):
        subscribe_again(world, customer, PAYG)
        report_fixes(customer, 2)
        world.deliver()
        age_reports()
        world.advance()
        paid = [each["total"] for each in world.stripe.control.objects("invoice") if each["total"]]
        assert (paid, read_balance_cents(world)) == ([3000], 0)

    @pytest.mark.parametrize("path", ["/v1/subscriptions/*", "/v1/customers/*"])
    def test_is_ended_after_an_unknown_answer(self, world, customer, path):
        subscribe_again(world, customer)
        world.stripe.control.add_fault("cut_after", method="*", path=path, times=9)
        world.deliver()
        world.stripe.control.clear_faults()
        retry_now(at=timezone.now())
        world.deliver(events=world.stripe.control.events())
        statuses = [each["status"] for each in world.stripe.control.objects("subscription")]
        assert (sorted(statuses), read_balance_cents(world)) == (["active", "canceled"], 49900)

    def test_whose_news_was_lost_is_ended_at_night(self, world, customer):
        subscribe_again(world, customer)
        reconcile(at=timezone.now())
        row = Discrepancy.objects.get(kind="stale_account")
        assert (row.state, "2 subscriptions run" in row.detail) == ("repaired", True)
        assert read_balance_cents(world) == 49900

    def test_beside_one_that_is_not_paid_for_is_left_to_staff(self, world, customer):
        for method in world.stripe.control.objects("payment_method"):
            world.stripe.control.set_card(method["id"], "insufficient_funds")
        subscribe_again(world, customer)
        subscription = subscribe_again(world, customer)
        assert subscription.status == "incomplete"
        world.deliver()
        assert world.account(customer).plan == "payg"
