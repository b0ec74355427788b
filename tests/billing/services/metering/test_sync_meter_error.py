import pytest
from django.utils import timezone

from billing.models import Discrepancy, InboxEvent, UsageReport
from billing.selectors.entitlements import get_entitlement
from billing.services.metering.sync_meter_error import sync_meter_error
from billing.services.reconciliation.reconcile import reconcile
from billing.stripe_gateway.meter_errors import MeterError, read_identifier
from core.outbox import leases, operators
from tests.billing.ledger import report_fixes, send_due
from tests.billing.services.corrections.test_report_correction import correct, send

MODULE = "billing.services.metering.sync_meter_error"


@pytest.fixture
def report(customer):
    return report_fixes(customer, 1)[0]


def fail(billing_env, report, code="meter_event_customer_not_found"):
    """Let Stripe report that it cannot count an accepted fix; return the thin event."""
    billing_env.stripe.control.report_meter_error(identifier=report.identifier, code=code)
    event = billing_env.stripe.control.objects("v2.core.event")[-1]
    return {name: value for name, value in event.items() if name != "data"}


class TestSyncMeterError:
    def test_parks_the_report_with_stripes_reason(self, billing_env, report):
        billing_env.deliver(events=[fail(billing_env, report)])
        report.refresh_from_db()
        assert report.status == "parked"
        assert report.last_error.startswith("meter_event_customer_not_found: ")
        assert InboxEvent.objects.get(event_type__contains="meter").processed_at is not None

    def test_a_report_that_staff_send_again_counts_once(self, billing_env, report):
        event = fail(billing_env, report)
        billing_env.deliver(events=[event])
        operators.retry_now(UsageReport.objects.all(), at=timezone.now())
        send_due()
        report.refresh_from_db()
        assert (report.status, report.generation) == ("reported", 2)

    def test_a_repeated_event_does_not_change_a_later_attempt(self, billing_env, report):
        event = fail(billing_env, report)
        billing_env.deliver(events=[event])
        operators.retry_now(UsageReport.objects.all(), at=timezone.now())
        send_due()
        assert sync_meter_error(event_id=event["id"]) == 0
        assert UsageReport.objects.get().status == "reported"

    def test_waits_for_the_worker_that_is_sending_the_report_again(self, billing_env, report):
        operators.reopen(UsageReport.objects.all(), at=timezone.now())
        held = leases.claim(UsageReport.objects.all(), pk=report.pk)
        event = fail(billing_env, report)
        billing_env.deliver(events=[event])
        assert UsageReport.objects.get().lease_owner == held.lease_owner
        kept = InboxEvent.objects.get(pk=event["id"])
        assert (kept.status, kept.last_error) == ("pending", f"ReportInProgress: {report.identifier}")

    def test_leaves_a_parked_fix_out_of_later_periods(self, billing_env, customer, report):
        billing_env.deliver(events=[fail(billing_env, report)])
        assert get_entitlement(customer=customer).used == 1
        billing_env.close_month()
        assert get_entitlement(customer=customer).used == 0
        reconcile(at=billing_env.now())
        assert not Discrepancy.objects.filter(kind=Discrepancy.Kind.PORTAL).exists()

    def test_explains_that_a_credited_fix_must_be_billed(self, billing_env, report):
        billing_env.pass_time(days=2)
        assert send(correct(report.usage)).amount_cents == 1500
        billing_env.deliver(events=[fail(billing_env, report)])
        report.refresh_from_db()
        assert report.last_error.endswith("its price was credited, so send it again to bill it")

    def test_ignores_identifiers_of_others(self, billing_env, report, monkeypatch):
        errors = [MeterError(name, "no_meter", "") for name in ("by-hand", str(report.pk)[:-1] + "x")]
        monkeypatch.setattr(f"{MODULE}.list_meter_errors", lambda event_id: errors)
        assert sync_meter_error(event_id="evt_1") == 0
        assert UsageReport.objects.get().status == "reported"

    def test_ignores_a_fix_of_another_database(self, billing_env, report, monkeypatch):
        errors = [MeterError("00000000-0000-4000-8000-000000000000", "no_meter", "")]
        monkeypatch.setattr(f"{MODULE}.list_meter_errors", lambda event_id: errors)
        assert sync_meter_error(event_id="evt_1") == 0

    def test_reschedules_while_stripe_is_unavailable(self, billing_env, report):
        event = fail(billing_env, report)
        billing_env.stripe.control.add_fault("status", path="/v2/core/events/*", status=500, times=None)
        billing_env.deliver(events=[event])
        kept = InboxEvent.objects.get(pk=event["id"])
        assert (kept.processed_at, kept.attempts) == (None, 1)
        assert kept.next_attempt_at is not None


class TestIdentifier:
    @pytest.mark.parametrize("sent", ["abc-2", "meter-abc-2-17"], ids=["of the event", "of the request"])
    def test_is_read_in_either_form(self, sent):
        assert read_identifier({"request": {"identifier": sent}}) == "abc-2"

    def test_is_empty_when_stripe_sends_none(self):
        assert read_identifier({}) == ""
