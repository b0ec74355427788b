import dataclasses
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import BillingAccount, Discrepancy, UsageReport
from billing.plans import PAYG, TEAMS
from billing.selectors.entitlements import get_entitlement
from billing.services.corrections.correct_usage import correct_usage
from billing.services.corrections.report_correction import report_correction
from billing.services.reconciliation.reconcile import reconcile
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.choose_plan import choose_plan
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.errors import StripeUnavailable
from billing.stripe_gateway.meter import MeterEvent, report_usage
from billing.stripe_gateway.subscriptions import cancel_subscription
from tests.billing.ledger import record_fixes, report_fixes, send_due
from tests.billing.services.corrections.test_report_correction import (
    correct,
    fix,
    fix_in_the_second_of_the_end,
    list_totals,
    send,
)
from tests.billing.services.subscriptions.test_change_plan import change


def run(billing_env, customer=None, **later):
    """Reconcile more than a day later, when no usage is too recent to be checked."""
    return reconcile(at=billing_env.now() + timedelta(**(later or {"hours": 30})), customer=customer)


def forget(billing_env, *, last=1):
    """Let Stripe lose meter events that it had accepted."""
    for event in billing_env.stripe.control.meter_events()[-last:]:
        get_client().v1.billing.meter_event_adjustments.create(
            {
                "event_name": event["event_name"],
                "type": "cancel",
                "cancel": {"identifier": event["identifier"]},
            }
        )


def add_stray(billing_env, customer):
    """Report a fix to our meter that the ledger does not have."""
    get_client().v1.billing.meter_events.create(
        {
            "event_name": "fix_deployed",
            "identifier": "by-hand",
            "payload": {"stripe_customer_id": billing_env.account(customer).stripe_customer_id, "value": "1"},
        }
    )


def report_late(billing_env, customer):
    """Report a fix of the closed period after its invoice is final."""
    report = record_fixes(customer, 1)[0]
    report.meter_at = billing_env.account(customer).current_period_start - timedelta(days=2)
    report.status, report.first_sent_at, report.reported_at = "reported", report.meter_at, report.meter_at
    report.next_attempt_at = None
    report.save()
    report_usage(
        MeterEvent(
            identifier=report.identifier,
            stripe_customer_id=billing_env.account(customer).stripe_customer_id,
            at=report.meter_at,
            attempt=1,
        )
    )


def found():
    return [(row.kind, row.state) for row in Discrepancy.objects.order_by("found_at", "kind")]


class TestReconcile:
    def test_finds_nothing_when_all_agrees(self, billing_env, customer):
        report_fixes(customer, 3)
        done = run(billing_env)
        assert (done.accounts, done.unanswered, found()) == (1, 0, [])
        assert done.finished_at is not None

    def test_agrees_over_a_periods_end(self, billing_env, customer):
        report_fixes(customer, 3)
        billing_env.close_month()
        report_fixes(customer, 2)
        run(billing_env)
        assert found() == []

    def test_agrees_for_teams_beyond_what_is_included(self, billing_env):
        customer = billing_env.subscribe("teams")
        report_fixes(customer, 62)
        billing_env.close_month()
        run(billing_env)
        assert found() == []

    def test_agrees_after_a_cancellation(self, billing_env, customer):
        report_fixes(customer, 2)
        billing_env.pass_time(days=2)
        cancel_plan(customer=customer)
        billing_env.stripe.control.advance(hours=2)  # its last invoice is a draft until then
        billing_env.deliver()
        run(billing_env)
        assert found() == []

    def test_skips_recent_reports(self, billing_env, customer):
        report_fixes(customer, 1)
        forget(billing_env)
        run(billing_env, minutes=30)
        assert found() == []

    def test_checks_only_the_given_customer(self, billing_env, customer):
        other = billing_env.subscribe("payg")
        report_fixes(other, 1)
        forget(billing_env)
        assert run(billing_env, customer=customer).accounts == 1
        assert found() == []
        run(billing_env, customer=other)
        assert found() == [("missing_at_stripe", "repaired")]

    def test_skips_a_customer_without_a_stripe_customer(self, billing_env, alice_api):
        assert run(billing_env, customer=alice_api.customer).accounts == 0


class TestDraftThatNobodyAnswered:
    """Stripe keeps it a draft for up to 72 hours."""

    @pytest.fixture
    def drafted(self, billing_env, customer):
        report_fixes(customer, 2)
        billing_env.stripe.control.add_fault("webhook_drop", event="invoice.created", times=None)
        end = billing_env.account(customer).current_period_end
        billing_env.stripe.control.set_to(int(end.timestamp()) + 60)
        assert billing_env.stripe.control.flush() == 0
        billing_env.stripe.control.advance(hours=30)
        assert billing_env.stripe.control.objects("invoice")[-1]["status"] == "draft"
        return customer

    def test_is_compared_once_it_is_final(self, billing_env, drafted):
        billing_env.deliver()
        run(billing_env, hours=1)
        assert found() == []
        billing_env.stripe.control.advance(hours=42)
        billing_env.deliver()
        run(billing_env, hours=1)
        assert (list_totals(drafted)[0], found()) == (3000, [])

    def test_is_synced_if_its_events_were_lost(self, billing_env, drafted):
        sent = billing_env.list_undelivered_events()
        billing_env.deliver(events=[each for each in sent if not each["type"].startswith("invoice.")])
        run(billing_env, hours=1)
        assert found() == [("invoice", "repaired")]


class TestFixMissingAtStripe:
    def test_is_not_resent_while_stripe_remembers_its_identifier(self, billing_env, customer):
        report_fixes(customer, 2)
        forget(billing_env)
        run(billing_env, hours=2)
        row = Discrepancy.objects.get()
        assert (row.kind, row.state, row.ledger, row.stripe) == ("missing_at_stripe", "open", 2, 1)
        assert not UsageReport.objects.filter(status="pending").exists()

    def test_is_sent_again_under_another_identifier_a_day_later(self, billing_env, customer):
        report_fixes(customer, 3)
        forget(billing_env)
        run(billing_env)
        assert found() == [("missing_at_stripe", "repaired")]
        again = UsageReport.objects.get(status="pending")
        billing_env.pass_time(days=2)
        send_due()
        again.refresh_from_db()
        assert (again.status, again.generation) == ("reported", 2)
        held = [event for event in billing_env.stripe.control.meter_events() if not event["canceled"]]
        assert len(held) == 3

    def test_of_an_invoiced_period_is_billed_in_the_next(self, billing_env, customer):
        report_fixes(customer, 2)
        forget(billing_env)
        billing_env.close_month()
        run(billing_env)
        billing_env.pass_time(days=2)
        send_due()
        billing_env.close_month()
        run(billing_env)
        assert ("missing_at_stripe", "open") not in found()
        held = [event for event in billing_env.stripe.control.meter_events() if not event["canceled"]]
        assert len(held) == 2

    def test_is_listed_when_no_subscription_can_bill_it(self, billing_env, customer):
        report_fixes(customer, 1)
        forget(billing_env)
        cancel_subscription(billing_env.account(customer).subscription_id)
        billing_env.deliver()
        run(billing_env)
        row = Discrepancy.objects.get(kind="missing_at_stripe")
        assert (row.state, row.detail) == ("open", "There is no subscription to bill these fixes to.")


class TestEndedSubscription:
    """Canceled without `invoice_now`, so its last fixes are on no invoice, and staff decide about them."""

    @pytest.fixture
    def ended(self, billing_env, customer):
        billing_env.stripe.control.advance(hours=2)
        report_fixes(customer, 2)
        billing_env.stripe.control.advance(hours=2)
        return billing_env.account(customer).subscription_id

    def test_without_a_last_invoice_is_listed(self, billing_env, customer, ended):
        cancel_subscription(ended, is_invoiced=False)
        billing_env.deliver()
        run(billing_env)
        row = Discrepancy.objects.get()
        assert (row.kind, row.state, row.ledger, row.stripe) == ("invoice", "open", 2, 0)

    def test_is_listed_under_the_next_plan_too(self, billing_env, customer, ended):
        cancel_subscription(ended, is_invoiced=False)
        self.choose_again(billing_env, customer)
        run(billing_env)
        row = Discrepancy.objects.get(kind="invoice")
        assert (row.state, row.ledger, row.stripe) == ("open", 2, 0)

    def test_agrees_under_the_next_plan_once_invoiced(self, billing_env, customer, ended):
        cancel_subscription(ended)
        self.choose_again(billing_env, customer)
        run(billing_env)
        assert found() == []

    def test_is_left_to_staff_when_the_meter_lacks_a_fix(self, billing_env, customer, ended):
        forget(billing_env)
        cancel_subscription(ended)
        self.choose_again(billing_env, customer)
        run(billing_env)
        row = Discrepancy.objects.get(kind="missing_at_stripe")
        assert (row.state, row.detail) == ("open", "Its subscription has ended.")
        assert not UsageReport.objects.filter(status="pending").exists()

    @pytest.mark.parametrize("is_followed", [False, True], ids=["no plan", "the next plan"])
    def test_lists_a_fix_of_its_very_last_second_until_it_is_voided(self, billing_env, customer, is_followed):
        (usage,) = fix_in_the_second_of_the_end(billing_env, customer, 1)
        if is_followed:
            self.choose_again(billing_env, customer)
        run(billing_env)
        row = Discrepancy.objects.get()
        assert (row.kind, row.state, row.ledger, row.stripe) == ("unbilled", "open", 1, 0)
        send(correct(usage))
        run(billing_env)
        assert found() == [("unbilled", "resolved")]

    def test_bills_a_fix_of_the_second_before_and_agrees(self, billing_env, customer):
        fix_in_the_second_of_the_end(billing_env, customer, 1, earlier=1)
        run(billing_env)
        assert found() == []

    @pytest.fixture
    def unbilled(self, billing_env, customer):
        """Return a fix that was metered after a plan had ended with its period."""
        account = billing_env.account(customer)
        client = get_client().v1.subscriptions
        client.update(account.subscription_id, {"cancel_at_period_end": True})
        billing_env.stripe.control.set_to(int(account.current_period_end.timestamp()) - 60)
        usage = fix(customer, at=account.current_period_end + timedelta(seconds=30))
        billing_env.stripe.control.advance(hours=2)
        billing_env.deliver()
        assert billing_env.account(customer).status == "canceled"
        return usage

    def test_with_its_period_lists_a_fix_metered_after_it(self, billing_env, unbilled):
        run(billing_env)
        row = Discrepancy.objects.get()
        assert (row.kind, row.state, row.ledger, row.stripe) == ("unbilled", "open", 1, 0)

    def test_lists_unbilled_fixes_until_staff_settle_them(self, billing_env, unbilled):
        run(billing_env)
        run(billing_env, days=33)
        assert found() == [("unbilled", "open")]

    def test_without_a_last_invoice_is_listed_until_staff_settle_it(self, billing_env, customer, ended):
        cancel_subscription(ended, is_invoiced=False)
        billing_env.deliver()
        run(billing_env)
        run(billing_env, days=33)
        assert found() == [("invoice", "open")]

    def test_lists_unbilled_fixes_after_the_next_plan_changed(self, billing_env, customer):
        fix_in_the_second_of_the_end(billing_env, customer, 1)
        self.choose_again(billing_env, customer)
        billing_env.stripe.control.advance(hours=2)
        billing_env.pass_time(days=2)
        change(billing_env, customer, TEAMS)
        billing_env.deliver()
        run(billing_env)
        row = Discrepancy.objects.get()
        assert (row.kind, row.state, row.ledger, row.stripe) == ("unbilled", "open", 1, 0)

    def test_stops_listing_a_fix_voided_after_the_next_plan_renewed(self, billing_env, customer):
        (usage,) = fix_in_the_second_of_the_end(billing_env, customer, 1)
        self.choose_again(billing_env, customer)
        run(billing_env)
        billing_env.close_month()
        send(correct(usage))
        run(billing_env, hours=4)
        assert found() == [("unbilled", "resolved")]

    def test_lists_nothing_that_was_credited(self, billing_env, customer):
        (usage,) = fix_in_the_second_of_the_end(billing_env, customer, 1)
        assert send(correct(usage, "credit")).resolution == "nothing"
        run(billing_env)
        assert found() == []

    def choose_again(self, billing_env, customer):
        billing_env.deliver()
        billing_env.stripe.control.advance(hours=2)
        with billing_env.run_tasks():
            choose_plan(customer=customer, plan=PAYG, at=timezone.now())
        billing_env.deliver()
        assert billing_env.account(customer).can_meter


class TestUsageUnknownToLedger:
    def test_is_listed_and_never_changed(self, billing_env, customer):
        report_fixes(customer, 1)
        add_stray(billing_env, customer)
        run(billing_env)
        row = Discrepancy.objects.get()
        assert (row.kind, row.state, row.ledger, row.stripe) == ("unknown_at_stripe", "open", 1, 2)

    def test_is_one_row_however_often_it_is_found(self, billing_env, customer):
        add_stray(billing_env, customer)
        first, second = run(billing_env), run(billing_env)
        assert Discrepancy.objects.get().found_in == second != first

    def test_is_resolved_once_it_is_gone(self, billing_env, customer):
        add_stray(billing_env, customer)
        run(billing_env)
        forget(billing_env)
        run(billing_env)
        row = Discrepancy.objects.get()
        assert row.state == "resolved"
        assert row.settled_at is not None


class TestStaleAccount:
    def test_is_refreshed(self, billing_env, customer):
        BillingAccount.objects.update(status="past_due")
        run(billing_env)
        row = Discrepancy.objects.get()
        assert (row.kind, row.state) == ("stale_account", "repaired")
        assert row.detail == "status: past_due became active"
        assert billing_env.account(customer).status == "active"

    def test_finds_that_its_subscription_ended(self, billing_env, customer):
        subscription_id = billing_env.account(customer).subscription_id
        get_client().v1.subscriptions.cancel(subscription_id)
        run(billing_env)
        assert billing_env.account(customer).status == "canceled"

    def test_finds_a_period_whose_event_was_lost(self, billing_env, customer):
        report_fixes(customer, 1)
        billing_env.stripe.control.advance(days=31, hours=2)
        run(billing_env)
        assert ("stale_account", "repaired") in found()
        assert billing_env.account(customer).current_period_end > billing_env.now()
        assert not Discrepancy.objects.filter(state="open").exists()

    def test_is_listed_when_stripe_lacks_its_subscription(self, billing_env, customer):
        BillingAccount.objects.update(status="past_due")
        path = "/v1/subscriptions/*"
        billing_env.stripe.control.add_fault("status", method="GET", path=path, status=404, times=None)
        run(billing_env)
        assert found() == [("stale_account", "open")]


class TestInvoice:
    def test_is_fetched_when_its_event_was_lost(self, billing_env, customer):
        report_fixes(customer, 2)
        billing_env.stripe.control.advance(days=31, hours=2)
        run(billing_env)
        assert ("invoice", "repaired") in found()

    def test_that_lacks_a_fix_is_listed(self, billing_env, customer):
        report_fixes(customer, 1)
        billing_env.close_month()
        report_late(billing_env, customer)
        run(billing_env)
        row = Discrepancy.objects.get(kind="invoice")
        assert (row.state, row.ledger, row.stripe) == ("open", 2, 1)


class TestPortal:
    def test_that_shows_another_count_is_listed(self, billing_env, customer, monkeypatch):
        report_fixes(customer, 2)
        shown = dataclasses.replace(get_entitlement(customer=customer), used=5)
        monkeypatch.setattr(
            "billing.services.reconciliation.reconcile.get_entitlement", lambda customer: shown
        )
        run(billing_env)
        row = Discrepancy.objects.get()
        assert (row.kind, row.ledger, row.stripe, row.portal) == ("portal", 2, 2, 5)


class TestFailureOfOneCustomer:
    def test_does_not_stop_the_others(self, billing_env, customer):
        other = billing_env.subscribe("payg")
        add_stray(billing_env, other)
        BillingAccount.objects.filter(customer=customer).update(status="past_due")
        path = f"/v1/subscriptions/{billing_env.account(customer).subscription_id}"
        billing_env.stripe.control.add_fault("status", path=path, status=500, times=None)
        done = run(billing_env)
        assert (done.accounts, done.unanswered) == (2, 1)
        assert Discrepancy.objects.get().customer == other

    def test_leaves_its_open_discrepancies(self, billing_env, customer):
        add_stray(billing_env, customer)
        run(billing_env)
        path = "/v1/billing/meters/*/event_summaries"
        billing_env.stripe.control.add_fault("status", path=path, status=500, times=None)
        assert run(billing_env).unanswered == 1
        assert found() == [("unknown_at_stripe", "open")]

    def test_ends_the_run_when_stripe_answers_for_no_customer(self, billing_env, customer):
        billing_env.subscribe("payg")
        path = "/v1/billing/meters/*/event_summaries"
        billing_env.stripe.control.add_fault("status", path=path, status=500, times=None)
        done = run(billing_env)
        assert (done.unanswered, done.finished_at) == (2, None)

    def test_in_listing_is_reported(self, billing_env, customer):
        billing_env.stripe.control.add_fault("status", path="/v1/subscriptions", status=500, times=None)
        with pytest.raises(StripeUnavailable):
            run(billing_env)


class TestVoidedFix:
    @pytest.fixture
    def voided(self, billing_env, customer):
        report = report_fixes(customer, 2)[0]
        correct_usage(usage=report.usage, kind="void", reason="A test.", made_by=None, at=billing_env.now())
        return report

    def test_that_stripe_no_longer_counts_is_no_discrepancy(self, billing_env, voided):
        report_correction(correction_id=voided.usage.correction.pk)
        run(billing_env)
        assert found() == []

    def test_with_an_adjustment_in_progress_is_no_discrepancy(self, billing_env, voided):
        run(billing_env)
        forget(billing_env, last=1)
        run(billing_env)
        assert found() == []
        assert not UsageReport.objects.filter(status="pending").exists()
