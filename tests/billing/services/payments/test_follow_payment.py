from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import BillingAccount, InboxEvent, Notice, UsageReport
from billing.selectors.standing import get_entitlement
from billing.services.metering.record_usage import record_usage
from billing.services.payments.follow_payment import block_overdue
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.sweep_billing import sweep_billing
from billing.stripe_gateway.client import get_client
from tests.billing.ledger import report_fixes
from tests.billing.world import BillingWorld, run_together
from tests.factories import BillingAccountFactory, make_mitigation_of
from tests.outbox import make_due

DAY = timedelta(days=1)


@pytest.fixture
def customer(world):
    return world.subscribe("teams")


def set_card(world: BillingWorld, behavior: str) -> None:
    method = world.stripe.control.objects("payment_method")[0]["id"]
    world.stripe.control.set_card(method, behavior)


def fail(world, behavior="insufficient_funds"):
    """A renewal that the card does not pay."""
    set_card(world, behavior)
    world.advance()


def pay(world):
    set_card(world, "success")
    open_invoice = next(each for each in world.stripe.control.objects("invoice") if each["status"] == "open")
    get_client().v1.invoices.pay(open_invoice["id"])


def list_kinds():
    return sorted(Notice.objects.values_list("kind", flat=True))


def read_state(world, customer):
    account = world.account(customer)
    return account.status, account.past_due_since, account.current_period_end, list_kinds()


class TestAPaymentThatFails:
    def test_is_past_due_from_the_day_its_invoice_was_final(self, world, customer):
        fail(world)
        account = world.account(customer)
        invoice = world.stripe.control.objects("invoice")[-1]
        assert account.status == "past_due"
        assert account.past_due_since.timestamp() == invoice["status_transitions"]["finalized_at"]

    def test_of_an_earlier_plan_leaves_the_new_one_its_whole_grace(self, world, customer):
        fail(world)
        cancel_plan(customer=customer)
        world.stripe.control.advance(days=8)
        world.subscribe("payg", customer=customer)
        world.deliver()
        report_fixes(customer, 1)
        newest = world.stripe.control.objects("payment_method")[-1]["id"]
        world.stripe.control.set_card(newest, "insufficient_funds")
        world.advance()
        account, invoice = world.account(customer), world.stripe.control.objects("invoice")[-1]
        assert account.status == "past_due"
        assert account.past_due_since.timestamp() == invoice["status_transitions"]["finalized_at"]

    def test_is_told_once_with_where_to_pay(self, world, customer):
        fail(world, "expired_card")
        invoice = world.stripe.control.objects("invoice")[-1]
        notice = Notice.objects.get()
        assert (notice.kind, notice.reference) == ("payment_failed", invoice["id"])
        expected = {"amount_cents": 49900, "currency": "usd", "invoice": invoice["number"]}
        assert expected.items() <= notice.data.items()
        assert notice.data["page_url"] == invoice["hosted_invoice_url"]

    def test_tried_again_in_vain_neither_moves_the_first_failure_nor_is_told_twice(self, world, customer):
        fail(world)
        before = read_state(world, customer)
        world.stripe.control.advance(days=4)
        world.deliver()
        assert read_state(world, customer) == before

    def test_that_waits_for_the_bank_says_so(self, world, customer):
        fail(world, "authentication_required")
        assert list_kinds() == ["action_required"]

    @pytest.mark.parametrize("order", ["as sent", "reversed", "twice"])
    def test_gives_the_same_state_in_any_order(self, world, customer, order):
        world.deliver()
        set_card(world, "insufficient_funds")
        world.stripe.control.advance(days=31, hours=2)
        events = [each for each in world.stripe.control.events() if each["id"] not in world.delivered]
        arranged = {"as sent": events, "reversed": events[::-1], "twice": events + events}[order]
        world.deliver(events=arranged)
        status, since, _, kinds = read_state(world, customer)
        assert (status, since is None, kinds) == ("past_due", False, ["payment_failed"])

    def test_is_told_after_an_outage(self, world, customer):
        set_card(world, "insufficient_funds")
        world.stripe.control.advance(days=31, hours=2)
        world.stripe.control.add_fault("status", method="GET", path="/v1/invoices", status=500, times=None)
        world.deliver()
        assert list_kinds() == []
        world.stripe.control.clear_faults()
        make_due(InboxEvent.objects.all())
        with world.run_tasks():
            sweep_billing()
        assert list_kinds() == ["payment_failed"]


class TestALastInvoice:
    def test_that_fails_after_the_plan_has_ended_is_told(self, world):
        customer = world.subscribe("payg")
        with world.run_tasks():
            record_usage(
                customer=customer, execution=make_mitigation_of(customer), occurred_at=timezone.now()
            )
        UsageReport.objects.update(reported_at=timezone.now() - DAY)
        world.stripe.control.advance(60)
        set_card(world, "insufficient_funds")
        cancel_plan(customer=customer)
        world.stripe.control.advance(hours=2)
        world.deliver()
        assert (world.account(customer).status, list_kinds()) == ("canceled", ["payment_failed"])


class TestGrace:
    def find_reason(self, world, customer, after):
        at = world.account(customer).past_due_since + after
        return get_entitlement(customer=customer, at=at).blocked_reason

    @pytest.mark.parametrize(("days", "reason"), [(6.9, None), (7, "payment_past_due")])
    def test_blocks_after_seven_days(self, world, customer, days, reason):
        fail(world)
        assert self.find_reason(world, customer, DAY * days) == reason

    def test_its_length_is_a_setting(self, world, customer, settings):
        settings.BILLING_GRACE_DAYS = 1
        fail(world)
        assert self.find_reason(world, customer, DAY) == "payment_past_due"

    def test_its_end_is_told_once(self, world, customer):
        fail(world)
        ends_at = world.account(customer).grace_ends_at
        told = [block_overdue(at=ends_at + after) for after in (-DAY, 0 * DAY, DAY)]
        assert told == [0, 1, 0]
        assert list_kinds() == ["blocked", "payment_failed"]

    def test_there_is_none_where_stripe_has_given_up(self, world, customer):
        fail(world)
        BillingAccount.objects.update(status="unpaid")
        account = world.account(customer)
        assert account.is_blocked(account.past_due_since)
        assert block_overdue(at=account.past_due_since) == 1

    def test_a_paid_account_has_none(self, world, customer):
        account = world.account(customer)
        assert (account.grace_ends_at, account.is_blocked(timezone.now() + 1000 * DAY)) == (None, False)


class TestRecovery:
    def test_comes_with_the_payment(self, world, customer):
        fail(world)
        block_overdue(at=world.account(customer).grace_ends_at)
        pay(world)
        world.deliver()
        account = world.account(customer)
        assert (account.status, account.past_due_since) == ("active", None)
        assert list_kinds() == ["blocked", "payment_failed", "recovered"]

    def test_is_told_once(self, world, customer):
        fail(world)
        pay(world)
        events = [each for each in world.stripe.control.events() if each["id"] not in world.delivered]
        world.deliver(events=events[::-1])
        world.deliver(events=events)
        assert Notice.objects.filter(kind="recovered").count() == 1

    def test_a_second_failure_is_another_one(self, world, customer):
        fail(world)
        pay(world)
        world.deliver()
        fail(world)
        assert list_kinds() == ["payment_failed", "payment_failed", "recovered"]

    def test_of_a_first_payment_begins_the_plan(self, world):
        customer = world.subscribe("teams", card="pm_card_chargeCustomerFail")
        world.deliver()
        assert list_kinds() == ["payment_failed"]
        pay(world)
        world.deliver()
        assert world.account(customer).status == "active"
        assert list_kinds() == ["payment_failed", "recovered"]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestSweepsAtOnce:
    def test_tell_a_block_once(self):
        account = BillingAccountFactory(
            plan="payg", status="past_due", past_due_since=timezone.now() - 8 * DAY
        )
        at = timezone.now()
        told = run_together(*[lambda: block_overdue(at=at)] * 4)
        assert sum(told) == 1
        assert Notice.objects.get().customer_id == account.pk
