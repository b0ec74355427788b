from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import BillingAccount, InboxEvent, Notification
from billing.selectors.entitlements import get_entitlement
from billing.services.metering.record_usage import record_usage
from billing.services.payments.sync_payment_state import block_overdue
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.sweep_billing import sweep_billing
from billing.stripe_gateway.client import get_client
from tests.billing.billing_env import BillingEnv, run_together
from tests.billing.ledger import report_fixes
from tests.factories import BillingAccountFactory, make_mitigation_of
from tests.outbox import make_due

DAY = timedelta(days=1)


@pytest.fixture
def plan():
    return "teams"


def set_card(billing_env: BillingEnv, behavior: str) -> None:
    method = billing_env.stripe.control.objects("payment_method")[0]["id"]
    billing_env.stripe.control.set_card(method, behavior)


def fail(billing_env, behavior="insufficient_funds"):
    """A renewal whose payment fails."""
    set_card(billing_env, behavior)
    billing_env.close_month()


def pay(billing_env):
    set_card(billing_env, "success")
    open_invoice = next(
        each for each in billing_env.stripe.control.objects("invoice") if each["status"] == "open"
    )
    get_client().v1.invoices.pay(open_invoice["id"])


def list_kinds():
    return sorted(Notification.objects.values_list("kind", flat=True))


def read_state(billing_env, customer):
    account = billing_env.account(customer)
    return account.status, account.past_due_since, account.current_period_end, list_kinds()


class TestFailedPayment:
    def test_is_past_due_from_the_day_its_invoice_was_final(self, billing_env, customer):
        fail(billing_env)
        account = billing_env.account(customer)
        invoice = billing_env.stripe.control.objects("invoice")[-1]
        assert account.status == "past_due"
        assert account.past_due_since.timestamp() == invoice["status_transitions"]["finalized_at"]

    def test_of_an_earlier_plan_does_not_shorten_the_new_ones_grace(self, billing_env, customer):
        fail(billing_env)
        cancel_plan(customer=customer)
        billing_env.stripe.control.advance(days=8)
        billing_env.subscribe("payg", customer=customer)
        billing_env.deliver()
        report_fixes(customer, 1)
        newest = billing_env.stripe.control.objects("payment_method")[-1]["id"]
        billing_env.stripe.control.set_card(newest, "insufficient_funds")
        billing_env.close_month()
        account, invoice = billing_env.account(customer), billing_env.stripe.control.objects("invoice")[-1]
        assert account.status == "past_due"
        assert account.past_due_since.timestamp() == invoice["status_transitions"]["finalized_at"]

    def test_notifies_once_with_a_link_to_pay(self, billing_env, customer):
        fail(billing_env, "expired_card")
        invoice = billing_env.stripe.control.objects("invoice")[-1]
        notification = Notification.objects.get()
        assert (notification.kind, notification.reference) == ("payment_failed", invoice["id"])
        expected = {"amount_cents": 49900, "currency": "usd", "invoice": invoice["number"]}
        assert expected.items() <= notification.data.items()
        assert notification.data["page_url"] == invoice["hosted_invoice_url"]

    def test_retried_unsuccessfully_keeps_the_first_failure_and_one_notification(self, billing_env, customer):
        fail(billing_env)
        before = read_state(billing_env, customer)
        billing_env.stripe.control.advance(days=4)
        billing_env.deliver()
        assert read_state(billing_env, customer) == before

    def test_explains_that_the_bank_needs_confirmation(self, billing_env, customer):
        fail(billing_env, "authentication_required")
        assert list_kinds() == ["action_required"]

    @pytest.mark.parametrize("order", ["as sent", "reversed", "twice"])
    def test_gives_the_same_state_in_any_order(self, billing_env, customer, order):
        billing_env.deliver()
        set_card(billing_env, "insufficient_funds")
        billing_env.stripe.control.advance(days=31, hours=2)
        events = [
            each for each in billing_env.stripe.control.events() if each["id"] not in billing_env.delivered
        ]
        arranged = {"as sent": events, "reversed": events[::-1], "twice": events + events}[order]
        billing_env.deliver(events=arranged)
        status, since, _, kinds = read_state(billing_env, customer)
        assert (status, since is None, kinds) == ("past_due", False, ["payment_failed"])

    def test_notifies_after_an_outage(self, billing_env, customer):
        set_card(billing_env, "insufficient_funds")
        billing_env.stripe.control.advance(days=31, hours=2)
        billing_env.stripe.control.add_fault(
            "status", method="GET", path="/v1/invoices", status=500, times=None
        )
        billing_env.deliver()
        assert list_kinds() == []
        billing_env.stripe.control.clear_faults()
        make_due(InboxEvent.objects.all())
        with billing_env.run_tasks():
            sweep_billing()
        assert list_kinds() == ["payment_failed"]


class TestLastInvoice:
    def test_notifies_when_it_fails_after_the_plan_ended(self, billing_env):
        customer = billing_env.subscribe("payg")
        with billing_env.run_tasks():
            record_usage(
                customer=customer, execution=make_mitigation_of(customer), occurred_at=timezone.now()
            )
        billing_env.pass_time(days=1)
        set_card(billing_env, "insufficient_funds")
        cancel_plan(customer=customer)
        billing_env.stripe.control.advance(hours=2)
        billing_env.deliver()
        assert (billing_env.account(customer).status, list_kinds()) == ("canceled", ["payment_failed"])


class TestGrace:
    def find_reason(self, billing_env, customer, after):
        at = billing_env.account(customer).past_due_since + after
        return get_entitlement(customer=customer, at=at).blocked_reason

    @pytest.mark.parametrize(("days", "reason"), [(6.9, None), (7, "payment_past_due")])
    def test_blocks_after_seven_days(self, billing_env, customer, days, reason):
        fail(billing_env)
        assert self.find_reason(billing_env, customer, DAY * days) == reason

    def test_its_length_is_a_setting(self, billing_env, customer, settings):
        settings.BILLING_GRACE_DAYS = 1
        fail(billing_env)
        assert self.find_reason(billing_env, customer, DAY) == "payment_past_due"

    def test_notifies_once_when_it_ends(self, billing_env, customer):
        fail(billing_env)
        ends_at = billing_env.account(customer).grace_ends_at
        told = [block_overdue(at=ends_at + after) for after in (-DAY, 0 * DAY, DAY)]
        assert told == [0, 1, 0]
        assert list_kinds() == ["blocked", "payment_failed"]

    def test_does_not_apply_after_stripe_gave_up(self, billing_env, customer):
        fail(billing_env)
        BillingAccount.objects.update(status="unpaid")
        account = billing_env.account(customer)
        assert account.is_blocked(account.past_due_since)
        assert block_overdue(at=account.past_due_since) == 1

    def test_does_not_apply_to_a_paid_account(self, billing_env, customer):
        account = billing_env.account(customer)
        assert (account.grace_ends_at, account.is_blocked(timezone.now() + 1000 * DAY)) == (None, False)


class TestRecovery:
    def test_comes_with_the_payment(self, billing_env, customer):
        fail(billing_env)
        block_overdue(at=billing_env.account(customer).grace_ends_at)
        pay(billing_env)
        billing_env.deliver()
        account = billing_env.account(customer)
        assert (account.status, account.past_due_since) == ("active", None)
        assert list_kinds() == ["blocked", "payment_failed", "recovered"]

    def test_notifies_once(self, billing_env, customer):
        fail(billing_env)
        pay(billing_env)
        events = [
            each for each in billing_env.stripe.control.events() if each["id"] not in billing_env.delivered
        ]
        billing_env.deliver(events=events[::-1])
        billing_env.deliver(events=events)
        assert Notification.objects.filter(kind="recovered").count() == 1

    def test_notifies_again_after_a_second_failure(self, billing_env, customer):
        fail(billing_env)
        pay(billing_env)
        billing_env.deliver()
        fail(billing_env)
        assert list_kinds() == ["payment_failed", "payment_failed", "recovered"]

    def test_of_a_first_payment_starts_the_plan(self, billing_env):
        customer = billing_env.subscribe("teams", card="pm_card_chargeCustomerFail")
        billing_env.deliver()
        assert list_kinds() == ["payment_failed"]
        pay(billing_env)
        billing_env.deliver()
        assert billing_env.account(customer).status == "active"
        assert list_kinds() == ["payment_failed", "recovered"]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestConcurrentSweeps:
    def test_notify_once_about_a_block(self):
        account = BillingAccountFactory(
            plan="payg", status="past_due", past_due_since=timezone.now() - 8 * DAY
        )
        at = timezone.now()
        told = run_together(*[lambda: block_overdue(at=at)] * 4)
        assert sum(told) == 1
        assert Notification.objects.get().customer_id == account.pk
