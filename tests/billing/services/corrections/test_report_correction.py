import time
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatchcase

import pytest
from django.test import override_settings
from django.utils import timezone

from billing.models import BillingAccount, CorrectionReport, UsageCorrection, UsageReport
from billing.selectors.entitlements import get_entitlement
from billing.selectors.invoices import list_invoices
from billing.services.corrections import report_correction as module
from billing.services.corrections.correct_usage import correct_usage
from billing.services.corrections.report_correction import report_correction
from billing.services.metering.record_usage import record_usage
from billing.services.metering.report_usage import report_usage
from billing.services.metering.sync_meter_error import sync_meter_error
from billing.stripe_gateway import adjustments
from billing.stripe_gateway.adjustments import credit_balance
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from core.outbox import leases, operators
from tests.billing.billing_env import run_together
from tests.factories import make_mitigation_of
from tests.outbox import make_due, park

Kind = UsageCorrection.Kind
ADJUSTMENTS = "/v1/billing/meter_event_adjustments"
BALANCE = "/v1/customers/*/balance_transactions"


@pytest.fixture
def payg(billing_env):
    return billing_env.subscribe("payg")


@pytest.fixture
def teams(billing_env):
    return billing_env.subscribe("teams")


def fix(customer, *, is_sent=True, at=None):
    usage = record_usage(
        customer=customer, execution=make_mitigation_of(customer), occurred_at=at or timezone.now()
    )
    if is_sent:
        report_usage(usage_id=usage.pk)
    return usage


def fix_in_the_second_of_the_end(billing_env, customer, count, *, earlier=0):
    """Create fixes in the second in which the plan ends, or `earlier` seconds before. Its invoice is paid."""
    end = billing_env.now() + timedelta(minutes=2)
    usages = [fix(customer, at=end - timedelta(seconds=earlier - 0.4)) for _ in range(count)]
    end_at(billing_env, customer, end)
    return usages


def end_at(billing_env, customer, end):
    """End the plan at Stripe without its event, with the last invoice paid."""
    client = get_client().v1.subscriptions
    client.update(billing_env.account(customer).subscription_id, {"cancel_at": int(end.timestamp())})
    billing_env.stripe.control.set_to(int(end.timestamp()) + 2 * 3600)
    billing_env.deliver()


def correct(usage, kind=Kind.VOID):
    made = correct_usage(usage=usage, kind=kind, reason="Broke the build.", made_by=None, at=timezone.now())
    return made.report


def send(report):
    """Report the correction now, regardless of its next attempt."""
    make_due(CorrectionReport.objects.filter(pk=report.pk))
    report_correction(correction_id=report.pk)
    report.refresh_from_db()
    return report


def list_credits(billing_env, customer):
    stripe_customer_id = billing_env.account(customer).stripe_customer_id
    client = get_client().v1.customers.balance_transactions
    made = client.list(stripe_customer_id, {"limit": 100}).data
    return [-each.amount for each in made if each.type == "adjustment"]


def list_totals(customer):
    return [each.total_cents for each in list_invoices(customer=customer, limit=12)]


class TestVoidWithinADay:
    def test_is_taken_off_the_meter_and_never_invoiced(self, billing_env, payg):
        kept, voided = fix(payg), fix(payg)
        report = send(correct(voided))
        assert (report.status, report.resolution) == ("done", "adjustment")
        assert UsageReport.objects.get(pk=voided.pk).status == "withdrawn"
        assert get_entitlement(customer=payg).used == 1
        billing_env.close_month()
        assert list_totals(payg)[0] == 1500
        assert UsageReport.objects.get(pk=kept.pk).status == "reported"

    @pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
    def test_is_taken_off_once_despite_an_outage(self, billing_env, payg, kind):
        fix(payg)
        report = correct(fix(payg))
        billing_env.stripe.control.add_fault(kind, path=ADJUSTMENTS, times=None)
        assert send(report).status == "pending"
        assert report.next_attempt_at > timezone.now()
        billing_env.stripe.control.clear_faults()
        assert send(report).status == "done"
        billing_env.close_month()
        assert list_totals(payg)[0] == 1500

    def test_is_taken_off_once_when_the_worker_dies_before_the_commit(self, billing_env, payg, monkeypatch):
        fix(payg)
        report = correct(fix(payg))
        with monkeypatch.context() as patch:
            patch.setattr(module, "_finish_adjustment", lambda *_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                send(report)
        assert send(report).status == "done"
        billing_env.close_month()
        assert list_totals(payg)[0] == 1500

    def test_makes_no_call_when_repeated(self, billing_env, payg):
        report = send(correct(fix(payg)))
        calls = len(billing_env.stripe.control.requests())
        send(report)
        assert len(billing_env.stripe.control.requests()) == calls

    def test_is_skipped_while_another_worker_has_its_lease(self, billing_env, payg):
        report = correct(fix(payg))
        leases.claim(CorrectionReport.objects.all(), pk=report.pk)
        calls = len(billing_env.stripe.control.requests())
        report_correction(correction_id=report.pk)
        assert len(billing_env.stripe.control.requests()) == calls


class TestVoidWithUnknownOutcome:
    def test_waits_for_the_fixs_own_report(self, billing_env, payg):
        usage = fix(payg, is_sent=False)
        billing_env.stripe.control.add_fault("cut_after", path="/v1/billing/meter_events", times=None)
        report_usage(usage_id=usage.pk)
        billing_env.stripe.control.clear_faults()
        report = correct(usage)
        assert send(report).last_error == "waiting for the fix's usage report"
        make_due(UsageReport.objects.all())
        report_usage(usage_id=usage.pk)
        assert send(report).resolution == "adjustment"

    def test_is_withheld_when_the_report_was_never_sent(self, billing_env, payg):
        usage = fix(payg, is_sent=False)
        UsageReport.objects.update(first_sent_at=timezone.now())
        report = correct(usage)
        UsageReport.objects.update(first_sent_at=None)
        park(UsageReport.objects.all())
        assert send(report).resolution == "withheld"

    def test_that_stripe_uncounted_while_it_was_taken_off_is_withheld(self, billing_env, payg):
        usage = fix(payg)
        billing_env.stripe.control.add_fault("cut_before", path=ADJUSTMENTS, times=None)
        report = send(correct(usage))
        billing_env.stripe.control.clear_faults()
        billing_env.stripe.control.report_meter_error(identifier=usage.report.identifier)
        event = billing_env.stripe.control.objects("v2.core.event")[-1]
        sync_meter_error(event_id=event["id"])
        assert (send(report).resolution, report.status) == ("withheld", "done")
        assert UsageReport.objects.get().status == "withdrawn"


class TestVoidOfRejectedReportAfterUncertainAttempt:
    @pytest.fixture(params=["cut_before", "cut_after"])
    def usage(self, billing_env, payg, request):
        usage = fix(payg, is_sent=False)
        billing_env.stripe.control.add_fault(request.param, path="/v1/billing/meter_events", times=None)
        report_usage(usage_id=usage.pk)
        billing_env.stripe.control.clear_faults()
        park(UsageReport.objects.all())
        return usage

    def test_waits_for_the_meters_sums(self, billing_env, usage):
        report = send(correct(usage))
        assert (report.status, report.last_error) == ("pending", "waiting for the fix's usage report")

    def test_is_taken_off_where_it_was_counted_and_withheld_where_not(self, billing_env, payg, usage):
        is_counted = bool(billing_env.stripe.control.meter_events())
        billing_env.pass_time(hours=1)
        report = send(correct(usage))
        assert (report.status, report.resolution) == ("done", "adjustment" if is_counted else "withheld")
        assert UsageReport.objects.get().status == "withdrawn"
        assert not [each for each in billing_env.stripe.control.meter_events() if not each["canceled"]]

    def test_waits_while_stripe_is_unavailable(self, billing_env, payg, usage):
        billing_env.pass_time(hours=1)
        billing_env.stripe.control.add_fault("cut_before", times=None)
        report = send(correct(usage))
        assert (report.status, report.next_attempt_at > timezone.now()) == ("pending", True)


class TestVoidOnUnpaidInvoice:
    @pytest.mark.parametrize("end", ["mark_uncollectible", "void_invoice"])
    def test_credits_nothing(self, billing_env, payg, end):
        usage = fix(payg)
        for method in billing_env.stripe.control.objects("payment_method"):
            billing_env.stripe.control.set_card(method["id"], "generic_decline")
        billing_env.close_month()
        (invoice,) = [each for each in billing_env.stripe.control.objects("invoice") if each["total"]]
        getattr(get_client().v1.invoices, end)(invoice["id"])
        billing_env.deliver()
        report = send(correct(usage))
        assert (report.resolution, report.status, list_credits(billing_env, payg)) == ("nothing", "done", [])


class TestVoidOnReturnedInvoice:
    """An invoice of which the customer got money back already, with or without its event."""

    @pytest.fixture
    def usages(self, billing_env, payg):
        """Return two fixes that an invoice of $30 has charged."""
        found = [fix(payg), fix(payg)]
        billing_env.close_month()
        return found

    @pytest.fixture
    def charge(self, billing_env, usages):
        (found,) = billing_env.stripe.control.objects("charge")
        assert found["amount"] == 3000
        return found["id"]

    def void_both(self, billing_env, customer, usages):
        resolutions = [send(correct(usage)).resolution for usage in usages]
        return resolutions, list_credits(billing_env, customer)

    @pytest.mark.parametrize("is_heard", [True, False], ids=["heard of", "not heard of"])
    def test_credits_nothing_after_a_full_refund(self, billing_env, payg, usages, charge, is_heard):
        get_client().v1.refunds.create({"charge": charge})
        if is_heard:
            billing_env.deliver()
        assert self.void_both(billing_env, payg, usages) == (["nothing", "nothing"], [])

    def test_credits_what_a_partial_refund_left(self, billing_env, payg, usages, charge):
        get_client().v1.refunds.create({"charge": charge, "amount": 1000})
        assert self.void_both(billing_env, payg, usages) == (["credit", "credit"], [500, 1500])

    def test_credits_in_full_after_a_refund_that_failed(self, billing_env, payg, usages, charge):
        made = get_client().v1.refunds.create({"charge": charge})
        billing_env.deliver()
        store = billing_env.stripe.env.store
        store.replace(store.get("refund", made.id), status="failed")
        assert self.void_both(billing_env, payg, usages) == (["credit", "credit"], [1500, 1500])

    @pytest.mark.parametrize("is_heard", [True, False], ids=["heard of", "not heard of"])
    @pytest.mark.parametrize(("won", "credits"), [(True, [1500, 1500]), (False, [])], ids=["won", "lost"])
    def test_waits_for_the_outcome_of_a_dispute(
        self, billing_env, payg, usages, charge, won, credits, is_heard
    ):
        dispute = billing_env.stripe.control.dispute(charge)
        reports = [correct(usage) for usage in usages]
        assert send(reports[0]).last_error == "waiting for the outcome of a dispute"
        billing_env.stripe.control.close_dispute(dispute["id"], won=won)
        if is_heard:
            billing_env.deliver()
        assert [send(report).status for report in reports] == ["done", "done"]
        assert list_credits(billing_env, payg) == credits


class TestFixMeteredAfterPlanEnded:
    """A fix made in or after the second in which the plan ended, before that event arrived."""

    def test_is_corrected_without_credit(self, billing_env, payg):
        usage, other = fix_in_the_second_of_the_end(billing_env, payg, 2)
        assert [list_totals(payg)[0], list_credits(billing_env, payg)] == [0, []]
        assert (send(correct(usage)).resolution, send(correct(other, Kind.CREDIT)).resolution) == (
            "nothing",
            "nothing",
        )
        assert list_credits(billing_env, payg) == []

    def test_of_teams_is_corrected_without_waiting_for_an_invoice(self, billing_env, teams):
        (usage,) = fix_in_the_second_of_the_end(billing_env, teams, 1)
        assert (send(correct(usage)).resolution, usage.correction.report.status) == ("nothing", "done")

    def test_is_corrected_under_the_next_plan_too(self, billing_env, payg):
        (usage,) = fix_in_the_second_of_the_end(billing_env, payg, 1)
        billing_env.subscribe("payg", customer=payg)
        billing_env.deliver()
        assert (send(correct(usage)).resolution, list_credits(billing_env, payg)) == ("nothing", [])

    def test_is_billed_and_credited_one_second_earlier(self, billing_env, payg):
        (usage,) = fix_in_the_second_of_the_end(billing_env, payg, 1, earlier=1)
        assert list_totals(payg)[0] == 1500
        assert (send(correct(usage)).resolution, send(usage.correction.report).amount_cents) == (
            "credit",
            1500,
        )


class TestFixInFreeTrial:
    """A trial at Stripe, as started from its dashboard, which bills usage at 0."""

    @pytest.fixture
    def trialing(self, billing_env, plan):
        customer = billing_env.subscribe(plan)
        account, client = billing_env.account(customer), get_client().v1.subscriptions
        items = client.retrieve(account.subscription_id)["items"].data
        client.cancel(account.subscription_id)
        billing_env.pass_time(seconds=5)
        client.create(
            {
                "customer": account.stripe_customer_id,
                "items": [{"price": item.price.id} for item in items],
                "trial_period_days": 14,
            }
        )
        billing_env.deliver()
        assert billing_env.account(customer).status == "active"
        return customer

    @pytest.mark.parametrize("plan", ["payg", "teams"])
    @pytest.mark.parametrize("days", [2, 16], ids=["during the trial", "after the trial"])
    def test_gets_no_credit(self, billing_env, trialing, days):
        usage = fix(trialing)
        billing_env.pass_time(days=days)
        billing_env.deliver()
        report = send(correct(usage))
        assert (report.resolution, report.status) == ("nothing", "done")
        assert list_credits(billing_env, trialing) == []

    def test_is_taken_off_the_meter_within_a_day(self, trialing):
        assert send(correct(fix(trialing))).resolution == "adjustment"

    def test_is_credited_if_the_trial_was_over(self, billing_env, trialing):
        billing_env.pass_time(days=15)
        billing_env.deliver()
        usage = fix(trialing)
        billing_env.pass_time(hours=25)
        assert (send(correct(usage)).resolution, list_credits(billing_env, trialing)) == ("credit", [1500])


class TestFixThatAnUnknownPlanMayHaveBilled:
    def test_waits_where_its_stripe_customer_was_deleted(self, billing_env, payg):
        usage = fix(payg)
        billing_env.pass_time(hours=25)
        billing_env.close_month()
        assert list_totals(payg)[0] == 1500
        get_client().v1.customers.delete(usage.stripe_customer_id)
        billing_env.deliver()
        billing_env.stripe.control.advance(hours=2)
        billing_env.subscribe("payg", customer=payg)
        report = send(correct(usage))
        assert (report.status, report.resolution) == ("pending", "")
        assert report.last_error == "waiting for the period's invoice"

    @pytest.fixture
    def followed(self, billing_env, payg):
        """Return a fix that the next plan bills. We know that the first plan ended, but not of the next."""
        end, first = billing_env.now() + timedelta(minutes=2), billing_env.account(payg).subscription_id
        usage = fix(payg, at=end + timedelta(seconds=30))
        client = get_client().v1.subscriptions
        client.update(first, {"cancel_at": int(end.timestamp())})
        billing_env.stripe.control.set_to(int(end.timestamp()))
        (item,) = client.retrieve(first)["items"].data
        client.create({"customer": usage.stripe_customer_id, "items": [{"price": item.price.id}]})
        billing_env.deliver(events=billing_env.stripe.control.events("customer.subscription.deleted"))
        assert billing_env.account(payg).status == "canceled"
        return usage

    def test_is_taken_off_the_meter_of_a_plan_not_yet_synced(self, billing_env, payg, followed):
        report = send(correct(followed))
        assert (report.status, report.resolution) == ("pending", "")
        assert (send(report).status, report.resolution) == ("done", "adjustment")
        billing_env.close_month()
        assert list_totals(payg)[0] == 0

    def test_is_credited_the_price_of_a_plan_not_yet_synced(self, billing_env, payg, followed):
        billing_env.pass_time(hours=25)
        report = send(correct(followed))
        assert (report.status, report.resolution) == ("pending", "")
        billing_env.close_month()
        assert list_totals(payg)[0] == 1500
        assert (send(report).resolution, report.amount_cents) == ("credit", 1500)

    def test_waits_while_stripe_is_unavailable(self, billing_env, payg):
        (usage,) = fix_in_the_second_of_the_end(billing_env, payg, 1)
        billing_env.stripe.control.add_fault("cut_before", path="/v1/subscriptions", times=None)
        report = send(correct(usage))
        assert (report.status, report.resolution) == ("pending", "")
        billing_env.stripe.control.clear_faults()
        assert (send(report).status, report.resolution) == ("done", "nothing")


class TestVoidAfterADay:
    def test_of_pay_as_you_go_is_credited_to_the_next_invoice(self, billing_env, payg):
        usage = fix(payg)
        billing_env.pass_time(hours=24)
        report = send(correct(usage))
        assert (report.resolution, report.amount_cents) == ("credit", 1500)
        assert report.stripe_id
        assert list_credits(billing_env, payg) == [1500]
        billing_env.close_month()
        assert billing_env.stripe.control.objects("invoice")[0]["amount_due"] == 0

    def test_shortly_before_the_periods_end_is_credited_too(self, billing_env, payg):
        usage = fix(payg)
        BillingAccount.objects.update(current_period_end=timezone.now() + timedelta(minutes=30))
        assert send(correct(usage)).resolution == "credit"

    def test_of_an_invoiced_period_is_credited_at_its_price(self, billing_env, payg):
        usage = fix(payg)
        billing_env.close_month()
        report = send(correct(usage))
        assert (report.resolution, report.amount_cents) == ("credit", 1500)


class TestCreditOnTeams:
    def test_waits_for_the_invoice_with_the_number_of_fixes(self, billing_env, teams):
        report = correct(fix(teams), Kind.CREDIT)
        assert send(report).last_error == "waiting for the period's invoice"
        assert report.status == "pending"

    def test_of_a_fix_within_the_included_ones_costs_nothing(self, billing_env, teams):
        report = correct(fix(teams), Kind.CREDIT)
        billing_env.close_month()
        assert (send(report).resolution, report.status) == ("nothing", "done")
        assert list_credits(billing_env, teams) == []

    def test_beyond_the_included_ones_credits_no_more_than_was_paid(self, billing_env, teams):
        usages = [fix(teams) for _ in range(62)]
        reports = [correct(usage, Kind.CREDIT) for usage in usages[:3]]
        billing_env.close_month()
        resolutions = [(send(report).resolution, report.amount_cents) for report in reports]
        assert resolutions == [("credit", 800), ("credit", 800), ("nothing", 0)]
        assert list_credits(billing_env, teams) == [800, 800]

    def test_of_a_fix_that_another_plan_recorded_follows_the_invoice(self, billing_env, teams):
        BillingAccount.objects.update(plan="payg")
        usage = fix(teams, is_sent=False)
        BillingAccount.objects.update(plan="teams")
        report_usage(usage_id=usage.pk)
        report = correct(usage, Kind.CREDIT)
        billing_env.close_month()
        assert (send(report).resolution, report.amount_cents) == ("nothing", 0)


class TestCredit:
    def test_of_a_rejected_fix_keeps_it_off_the_meter(self, billing_env, payg):
        usage = fix(payg, is_sent=False)
        park(UsageReport.objects.all())
        assert (send(correct(usage, Kind.CREDIT)).resolution, list_credits(billing_env, payg)) == (
            "withheld",
            [],
        )
        assert UsageReport.objects.get().status == "withdrawn"

    @pytest.fixture
    def report(self, payg):
        return correct(fix(payg), Kind.CREDIT)

    @pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
    def test_is_given_once_despite_an_outage(self, billing_env, payg, report, kind):
        billing_env.stripe.control.add_fault(kind, path=BALANCE, method="POST", times=None)
        assert send(report).status == "pending"
        billing_env.stripe.control.clear_faults()
        assert send(report).status == "done"
        assert list_credits(billing_env, payg) == [1500]

    def test_is_given_once_when_stripe_finishes_after_we_gave_up(self, billing_env, payg, report):
        billing_env.stripe.control.add_fault("latency", path=BALANCE, method="POST", ms=3000)
        with stripe_timeout(1):
            send(report)
        assert list_credits(billing_env, payg) == []
        send(report)  # Stripe answers 409, because the first request is still running
        wait_until(lambda: any(each["ms"] >= 3000 for each in list_posts(billing_env, BALANCE)))
        assert list_credits(billing_env, payg) == [1500]
        assert (send(report).status, list_credits(billing_env, payg)) == ("done", [1500])
        assert [each["status"] for each in list_posts(billing_env, BALANCE)] == [409, 200]

    @pytest.mark.parametrize("after", [False, True], ids=["before the work", "after the work"])
    def test_is_given_once_despite_an_error_that_stripe_stores(self, billing_env, payg, report, after):
        billing_env.stripe.control.add_fault("status", path=BALANCE, method="POST", status=500, after=after)
        assert send(report).status == "pending"
        assert (send(report).status, list_credits(billing_env, payg)) == ("done", [1500])

    def test_waits_after_too_many_errors_that_stripe_stores(self, billing_env, payg, report, monkeypatch):
        monkeypatch.setattr(adjustments, "MAX_KEYS", 1)
        billing_env.stripe.control.add_fault("status", path=BALANCE, method="POST", status=500)
        assert [send(report).status, send(report).status, list_credits(billing_env, payg)] == [
            "pending",
            "pending",
            [],
        ]
        billing_env.stripe.control.advance(hours=25)  # Stripe has forgotten the key
        assert (send(report).status, list_credits(billing_env, payg)) == ("done", [1500])

    def test_is_given_once_when_the_worker_dies_before_the_commit(
        self, billing_env, payg, report, monkeypatch
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, "credit_balance", credit_and_die)
            with pytest.raises(SystemExit):
                send(report)
        billing_env.stripe.control.advance(hours=25)  # Stripe has forgotten the key
        assert send(report).status == "done"
        assert list_credits(billing_env, payg) == [1500]

    def test_rejected_by_stripe_waits_for_staff(self, billing_env, payg, report, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(module, "credit_balance", reject)
            assert (send(report).status, report.last_error) == ("parked", "no: No.")
        operators.retry_now(CorrectionReport.objects.all(), at=timezone.now())
        assert send(report).status == "done"


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestConcurrentCredits:
    def test_of_one_customer_are_given_one_at_a_time(self, billing_env, payg, monkeypatch):
        monkeypatch.setattr("billing.services.corrections.correct_usage.enqueue", lambda _: None)
        reports = [correct(fix(payg), Kind.CREDIT) for _ in range(2)]
        billing_env.stripe.control.add_fault("latency", path=BALANCE, ms=300, times=None)
        run_together(*(lambda pk=each.pk: report_correction(correction_id=pk) for each in reports))
        requests = [each for each in billing_env.stripe.control.requests() if is_path(each, BALANCE)]
        assert [each["method"] for each in requests] == ["GET", "POST"] * 2
        assert list_credits(billing_env, payg) == [1500, 1500]


class TestRejectedAdjustment:
    @pytest.fixture
    def voided(self, billing_env, payg):
        """Return a report whose method was chosen within 24 hours, and whose call is made after that."""
        fix(payg)
        return fix(payg)

    def test_is_credited_while_the_meter_still_has_the_fix(self, billing_env, payg, voided, monkeypatch):
        report = correct(voided)
        self.reject_adjustment(report, monkeypatch)
        billing_env.pass_time(hours=2)
        self.reject_adjustment(report, monkeypatch)
        assert (report.resolution, report.status) == ("credit", "pending")
        assert (send(report).status, report.amount_cents) == ("done", 1500)

    def test_is_credited_after_a_day(self, billing_env, payg, voided):
        billing_env.pass_time(hours=2)
        billing_env.stripe.control.advance(hours=23)  # by our clock the day is not over
        report = send(correct(voided))
        assert "24 hours" in report.last_error
        assert (send(report).resolution, report.status) == ("credit", "done")
        assert list_credits(billing_env, payg) == [1500]

    def test_is_done_when_an_earlier_attempt_took_it_off(self, billing_env, payg, voided, monkeypatch):
        report = correct(voided)
        with monkeypatch.context() as patch:
            patch.setattr(module, "close_adjustment", lambda **_: "")
            send(report)
        billing_env.pass_time(hours=2)
        self.reject_adjustment(report, monkeypatch)
        assert (report.resolution, report.status) == ("adjustment", "done")
        assert list_credits(billing_env, payg) == []

    def test_waits_while_the_meters_sums_may_lag(self, billing_env, payg, voided, monkeypatch):
        report = correct(voided)
        self.reject_adjustment(report, monkeypatch)
        assert report.status == "pending"
        assert report.last_error.endswith("waiting for the meter's summaries")

    def test_waits_while_stripe_is_unavailable(self, billing_env, payg, voided, monkeypatch):
        report = correct(voided)
        billing_env.pass_time(hours=2)
        monkeypatch.setattr(module, "count_metered", be_away)
        self.reject_adjustment(report, monkeypatch)
        assert (report.status, report.last_error) == ("pending", "away")

    def reject_adjustment(self, report, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(module, "cancel_meter_event", reject)
            send(report)


@contextmanager
def stripe_timeout(seconds):
    """Let our client give up on a request of Stripe's after some seconds."""
    get_client.cache_clear()
    try:
        with override_settings(STRIPE_TIMEOUT_SECONDS=seconds):
            yield
    finally:
        get_client.cache_clear()


def list_posts(billing_env, path):
    """List the finished POST requests to a path."""
    found = billing_env.stripe.control.requests()
    return [each for each in found if each["method"] == "POST" and is_path(each, path)]


def is_path(request, path):
    return fnmatchcase(request["path"], path)


def wait_until(is_so, seconds=10):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.05)


def reject(**_):
    raise StripeRejected("No.", code="no")


def be_away(**_):
    raise StripeUnavailable("away")


def credit_and_die(**arguments):
    credit_balance(**arguments)
    raise SystemExit
