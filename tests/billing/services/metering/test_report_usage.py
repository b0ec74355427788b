import importlib
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from billing.models import BillingAccount, SubscriptionRequest, UsageReport
from billing.selectors.entitlements import get_entitlement
from billing.selectors.invoices import list_invoices
from billing.services.metering import report_usage as module
from billing.services.metering.record_usage import record_usage
from billing.services.metering.report_usage import report_usage
from billing.services.metering.settle_usage import UsageStillUnreported
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.choose_plan import choose_plan
from billing.services.subscriptions.resume_plan import cancel_at_period_end
from billing.services.sweep_billing import sweep_billing
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.subscriptions import cancel_subscription
from core.outbox import leases, operators
from tests.factories import make_mitigation_of
from tests.outbox import make_due, park


@pytest.fixture
def report(customer):
    """A recorded fix whose task was not run, so that the test can report it."""
    return make_report(customer)


def make_report(customer):
    execution = make_mitigation_of(customer)
    usage = record_usage(customer=customer, execution=execution, occurred_at=timezone.now())
    return usage.report


def send(report):
    """Report the fix now, regardless of its next attempt."""
    make_due(UsageReport.objects.filter(pk=report.pk))
    report_usage(usage_id=report.pk)
    report.refresh_from_db()
    return report


def cut(billing_env, report, *, kind="cut_before"):
    """Report the fix, and lose Stripe's response."""
    billing_env.stripe.control.add_fault(kind, path="/v1/billing/meter_events", times=None)
    assert send(report).status == "pending"
    billing_env.stripe.control.clear_faults()


def days_ago(days):
    return timezone.now() - timedelta(days=days)


class TestReportUsage:
    def test_sends_the_ledger_rows_id_as_identifier(self, billing_env, report):
        assert send(report).status == "reported"
        event = billing_env.stripe.control.meter_events()[0]
        assert (event["identifier"], event["payload"]["value"]) == (str(report.pk), "1")

    def test_repeating_it_sends_nothing(self, billing_env, report):
        send(report)
        calls = len(billing_env.stripe.control.requests())
        send(report)
        assert len(billing_env.stripe.control.requests()) == calls

    def test_skips_a_report_leased_by_another_worker(self, billing_env, report):
        leases.claim(UsageReport.objects.all(), pk=report.pk)
        report_usage(usage_id=report.pk)
        assert billing_env.stripe.control.meter_events() == []

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "cut_before"},
            {"kind": "cut_after"},
            {"kind": "status", "status": 500},
            {"kind": "status", "status": 500, "after": True},
            {"kind": "status", "status": 429},
        ],
        ids=lambda fault: "-".join(str(value) for value in fault.values()),
    )
    def test_reschedules_after_an_outage_and_counts_once(self, billing_env, report, fault):
        billing_env.stripe.control.add_fault(path="/v1/billing/meter_events", times=None, **fault)
        assert send(report).status == "pending"
        assert report.next_attempt_at > timezone.now()
        assert report.last_error
        billing_env.stripe.control.clear_faults()
        assert send(report).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1

    def test_counts_once_when_the_worker_dies_before_the_commit(self, billing_env, report, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(module, "_finish", lambda report, **_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                send(report)
        report.refresh_from_db()
        assert report.status == "pending"
        assert send(report).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1

    def test_parks_a_rejected_report_with_stripes_reason(self, billing_env, report):
        meter = billing_env.stripe.control.objects("billing.meter")[0]
        with billing_env.run_tasks():
            get_client().v1.billing.meters.deactivate(meter["id"])
        assert send(report).status == "parked"
        assert report.last_error
        get_client().v1.billing.meters.reactivate(meter["id"])
        operators.retry_now(UsageReport.objects.all(), at=timezone.now())
        assert send(report).status == "reported"


class TestUncertainReportAfterIdentifierExpires:
    def test_is_not_sent_again_when_the_meter_has_it(self, billing_env, report, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(leases, "complete", lambda *_, **__: False)
            send(report)
        billing_env.pass_time(days=2)
        assert send(report).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1

    def test_is_sent_again_when_the_meter_lacks_it(self, billing_env, report):
        cut(billing_env, report)
        billing_env.pass_time(days=2)
        assert send(report).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1

    @pytest.mark.parametrize("hours", [22.9, 23.1, 25, 480])
    def test_is_counted_once_however_late_its_retry_is(self, billing_env, report, hours):
        """Stripe promises to remember an identifier for 24 hours. Here it forgets it even sooner."""
        billing_env.stripe.control.forget_identifiers(after=23 * 3600 + 60)
        cut(billing_env, report, kind="cut_after")
        billing_env.pass_time(hours=hours)
        assert send(report).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1

    def test_is_distinguished_from_another_report_in_its_minute(self, billing_env, report, customer):
        """Of two fixes of one minute, one is known to be on the meter, and the other never arrived."""
        cut(billing_env, report)
        neighbor = send(make_report(customer))
        UsageReport.objects.update(meter_at=neighbor.meter_at)
        billing_env.pass_time(days=2)
        assert send(report).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 2

    def test_waits_while_the_summary_may_lack_another_report(self, billing_env, report, customer):
        cut(billing_env, report)
        neighbor = send(make_report(customer))
        UsageReport.objects.update(meter_at=neighbor.meter_at)
        UsageReport.objects.filter(pk=report.pk).update(first_sent_at=days_ago(2))
        assert send(report).last_error == "waiting for other reports of its minute"

    def test_is_sent_again_once_when_one_of_two_arrived(self, billing_env, report, customer):
        other = make_report(customer)
        cut(billing_env, report)
        cut(billing_env, other, kind="cut_after")
        UsageReport.objects.update(meter_at=other.meter_at)
        billing_env.pass_time(days=2)
        assert send(report).status == "reported"
        billing_env.pass_time(days=1)
        assert send(other).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 2

    def test_stays_uncertain_after_a_rejection(self, billing_env, report):
        cut(billing_env, report, kind="cut_after")
        park(UsageReport.objects.all())
        billing_env.pass_time(days=2)
        operators.retry_now(UsageReport.objects.all(), at=timezone.now())
        assert send(report).status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1


class TestPeriodEndsBeforeReport:
    def test_a_report_that_never_arrived_is_billed_in_the_new_period(self, billing_env, report, customer):
        cut(billing_env, report)
        billing_env.close_month()
        assert send(report).status == "reported"
        billing_env.close_month()
        assert [each.total_cents for each in list_invoices(customer=customer, limit=3)][:2] == [1500, 0]

    def test_a_report_that_had_arrived_is_billed_in_the_old_one(self, billing_env, report, customer):
        cut(billing_env, report, kind="cut_after")
        billing_env.pass_time(days=31, hours=2)
        billing_env.deliver()
        assert send(report).status == "reported"
        billing_env.close_month()
        assert sum(each.total_cents for each in list_invoices(customer=customer, limit=3)) == 1500
        assert get_entitlement(customer=customer).used == 0

    def test_refreshes_the_account_when_the_event_is_late(self, billing_env, report, customer):
        billing_env.stripe.control.advance(days=32)
        BillingAccount.objects.update(current_period_end=timezone.now())
        assert send(report).status == "reported"
        billing_env.close_month()
        assert list_invoices(customer=customer, limit=1)[0].total_cents == 1500


class TestSubscriptionEnds:
    def test_reports_pending_usage_first(self, billing_env, report, customer):
        assert send(report).status == "reported"
        make_report(customer)
        billing_env.stripe.control.advance(hours=1)
        with pytest.raises(UsageStillUnreported):
            cancel_plan(customer=customer)
        billing_env.pass_time(days=1)
        cancel_plan(customer=customer)
        billing_env.deliver()
        report.refresh_from_db()
        assert report.status == "reported"
        billing_env.stripe.control.advance(hours=2)
        billing_env.deliver()
        assert list_invoices(customer=customer, limit=1)[0].total_cents == 3000

    def test_waits_for_usage_that_cannot_be_reported_yet(self, billing_env, report, customer):
        billing_env.stripe.control.add_fault("cut_before", path="/v1/billing/meter_events", times=None)
        with pytest.raises(UsageStillUnreported):
            cancel_plan(customer=customer)
        assert billing_env.account(customer).status == "active"

    @pytest.mark.parametrize(("minutes", "status", "cents"), [(20, "reported", 1500), (55, "pending", 0)])
    def test_at_period_end_bills_usage_until_its_invoice_is_final(
        self, billing_env, report, customer, monkeypatch, minutes, status, cents
    ):
        cancel_at_period_end(customer=customer, at=timezone.now())
        ends_at = billing_env.account(customer).current_period_end
        billing_env.stripe.control.set_to(int(ends_at.timestamp()) + 60 * minutes)
        billing_env.deliver()
        monkeypatch.setattr(timezone, "now", billing_env.now)
        assert send(report).status == status
        billing_env.stripe.control.advance(hours=2)
        assert billing_env.stripe.control.objects("invoice")[-1]["total"] == cents

    def test_immediately_bills_nothing_at_its_former_period_end(
        self, billing_env, report, customer, monkeypatch
    ):
        account = billing_env.account(customer)
        cancel_subscription(account.subscription_id)
        billing_env.stripe.control.set_to(int(account.current_period_end.timestamp()) + 60)
        billing_env.deliver()
        BillingAccount.objects.update(current_period_end=account.current_period_end)
        monkeypatch.setattr(timezone, "now", billing_env.now)
        monkeypatch.setattr(module, "_refresh_period", lambda _: None)
        assert send(report).last_error == "waiting for a subscription"

    def test_at_stripe_leaves_pending_usage_to_the_next_one(self, billing_env, report, customer):
        account = billing_env.account(customer)
        cancel_subscription(account.subscription_id)
        billing_env.deliver()
        assert send(report).last_error == "waiting for a subscription"
        billing_env.subscribe("payg", customer=customer)
        assert send(report).status == "reported"
        billing_env.close_month()
        assert list_invoices(customer=customer, limit=1)[0].total_cents == 1500


class TestWaitingForTheSubscription:
    def test_a_fix_before_the_stripe_customer_exists_is_billed_later(self, billing_env):
        billing_env.stripe.control.add_fault("status", path="/v1/customers*", status=500, times=None)
        customer = billing_env.subscribe("payg")
        report = make_report(customer)
        assert send(report).last_error == "waiting for a subscription"
        billing_env.stripe.control.clear_faults()
        make_due(SubscriptionRequest.objects.all())
        make_due(UsageReport.objects.all())
        with billing_env.run_tasks():
            sweep_billing()
        assert send(report).status == "reported"
        assert billing_env.account(customer).status == "active"


KILLED = """
import importlib, os, signal, sys, uuid
import django
django.setup()
import stripe
from django.conf import settings
settings.STRIPE_API_BASE = stripe.api_base = sys.argv[2]
module = importlib.import_module("billing.services.metering.report_usage")
module.leases.complete = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
module.report_usage(usage_id=uuid.UUID(sys.argv[1]))
"""


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_process_killed_between_the_answer_and_the_commit_counts_once(stripe_sandbox):
    """Uses a real process and a real SIGKILL."""
    from billing.plans import PAYG
    from billing.stripe_gateway.prices import sync_plans
    from tests.factories import CustomerFactory

    sync_plans()
    customer = CustomerFactory()
    choose_plan(customer=customer, plan=PAYG, payment_method="pm_card_visa", at=timezone.now())
    report = make_report_without_task(customer)
    name, host = connection.settings_dict["NAME"], settings.DATABASES["default"]["HOST"]
    user = settings.DATABASES["default"]["USER"]
    env = os.environ | {"DATABASE_URL": f"postgres://{user}@{host}/{name}"}
    argv = [sys.executable, "-c", KILLED, str(report.pk), stripe_sandbox.url]
    killed = subprocess.run(argv, env=env, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    report.refresh_from_db()
    assert report.status == "pending"
    assert len(stripe_sandbox.control.meter_events()) == 1
    assert send(report).status == "reported"
    assert len(stripe_sandbox.control.meter_events()) == 1


def make_report_without_task(customer):
    """Record a fix while the queue is unavailable, so that only the sweep finds it."""
    queue = importlib.import_module("core.queue.enqueue")
    original, queue.import_string = queue.import_string, lambda path: None
    try:
        return make_report(customer)
    finally:
        queue.import_string = original
