import pytest
from django.utils import timezone

from billing.models import Discrepancy, Notification
from billing.plans import PAYG, TEAMS
from billing.services.reconciliation.reconcile import reconcile
from billing.services.retry_now import retry_now
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.subscriptions import create_subscription
from customers.models import AuditLogEntry
from tests.billing.ledger import report_fixes


@pytest.fixture(autouse=True)
def first_subscription(billing_env, customer):
    """Create a subscription some seconds before any other, so that it is the oldest."""
    billing_env.deliver()
    billing_env.stripe.control.advance(5)


def subscribe_again(billing_env, customer, plan=TEAMS):
    stripe_customer_id = billing_env.account(customer).stripe_customer_id
    return create_subscription(
        stripe_customer_id=stripe_customer_id, plan=plan, request_key="again", attempt=0
    )


def read_balance_cents(billing_env):
    return -billing_env.stripe.control.objects("customer")[0]["balance"]


class TestSecondSubscription:
    def test_ends_and_is_credited_once(self, billing_env, customer):
        first = billing_env.account(customer).subscription_id
        subscribe_again(billing_env, customer)
        billing_env.deliver()
        billing_env.deliver(events=billing_env.stripe.control.events())
        found = {each["id"]: each["status"] for each in billing_env.stripe.control.objects("subscription")}
        assert sorted(found.values()) == ["active", "canceled"] and found[first] == "active"
        assert (billing_env.account(customer).plan, read_balance_cents(billing_env)) == ("payg", 49900)

    def test_is_kept_while_the_event_of_the_firsts_end_is_late(self, billing_env, customer):
        first = billing_env.account(customer).subscription_id
        get_client().v1.subscriptions.cancel(first)
        subscribe_again(billing_env, customer)
        news = [
            each for each in billing_env.stripe.control.events() if each["data"]["object"].get("id") != first
        ]
        billing_env.deliver(events=news)
        found = {each["id"]: each["status"] for each in billing_env.stripe.control.objects("subscription")}
        assert sorted(found.values()) == ["active", "canceled"] and found[first] == "canceled"
        assert (billing_env.account(customer).plan, read_balance_cents(billing_env)) == ("teams", 0)

    def test_is_credited_less_its_refunds(self, billing_env, customer):
        subscribe_again(billing_env, customer)
        (paid,) = [
            each for each in billing_env.stripe.control.objects("payment_intent") if each["amount"] == 49900
        ]
        get_client().v1.refunds.create({"payment_intent": paid["id"], "amount": 10000})
        billing_env.deliver()
        assert read_balance_cents(billing_env) == 39900

    def test_is_credited_less_what_was_charged_back(self, billing_env, customer):
        subscribe_again(billing_env, customer)
        (paid,) = [each for each in billing_env.stripe.control.objects("charge") if each["amount"] == 49900]
        dispute = billing_env.stripe.control.dispute(paid["id"])
        billing_env.stripe.control.close_dispute(dispute["id"], won=False)
        billing_env.deliver()
        assert read_balance_cents(billing_env) == 0

    def test_is_notified_and_audited(self, billing_env, customer):
        subscribe_again(billing_env, customer)
        billing_env.deliver()
        assert Notification.objects.get(kind="second_ended").data == {"amount_cents": 49900}
        entry = AuditLogEntry.objects.get(action="plan_canceled")
        assert "second subscription" in entry.subject and "499.00 USD" in entry.subject

    def test_has_its_fixes_invoiced_once(self, billing_env, customer):
        subscribe_again(billing_env, customer, PAYG)
        report_fixes(customer, 2)
        billing_env.deliver()
        billing_env.pass_time(days=2)
        billing_env.close_month()
        paid = [each["total"] for each in billing_env.stripe.control.objects("invoice") if each["total"]]
        assert (paid, read_balance_cents(billing_env)) == ([3000], 0)

    @pytest.mark.parametrize("path", ["/v1/subscriptions/*", "/v1/customers/*"])
    def test_is_ended_after_an_unknown_answer(self, billing_env, customer, path):
        subscribe_again(billing_env, customer)
        billing_env.stripe.control.add_fault("cut_after", method="*", path=path, times=9)
        billing_env.deliver()
        billing_env.stripe.control.clear_faults()
        retry_now(at=timezone.now())
        billing_env.deliver(events=billing_env.stripe.control.events())
        statuses = [each["status"] for each in billing_env.stripe.control.objects("subscription")]
        assert (sorted(statuses), read_balance_cents(billing_env)) == (["active", "canceled"], 49900)

    @pytest.mark.parametrize("after", [False, True], ids=["before the work", "after the work"])
    def test_is_credited_once_despite_an_error_that_stripe_stores(self, billing_env, customer, after):
        subscribe_again(billing_env, customer)
        path = "/v1/customers/*/balance_transactions"
        billing_env.stripe.control.add_fault("status", method="POST", path=path, status=500, after=after)
        reconcile(at=timezone.now())
        assert read_balance_cents(billing_env) == (49900 if after else 0)
        reconcile(at=timezone.now())
        statuses = [each["status"] for each in billing_env.stripe.control.objects("subscription")]
        assert (sorted(statuses), read_balance_cents(billing_env)) == (["active", "canceled"], 49900)

    def test_is_ended_by_the_nightly_task_when_its_event_was_lost(self, billing_env, customer):
        subscribe_again(billing_env, customer)
        reconcile(at=timezone.now())
        row = Discrepancy.objects.get(kind="stale_account")
        assert (row.state, "2 subscriptions are running" in row.detail) == ("repaired", True)
        assert read_balance_cents(billing_env) == 49900

    def test_is_left_to_staff_when_the_first_is_unpaid(self, billing_env, customer):
        for method in billing_env.stripe.control.objects("payment_method"):
            billing_env.stripe.control.set_card(method["id"], "insufficient_funds")
        subscribe_again(billing_env, customer)
        subscription = subscribe_again(billing_env, customer)
        assert subscription.status == "incomplete"
        billing_env.deliver()
        assert billing_env.account(customer).plan == "payg"
