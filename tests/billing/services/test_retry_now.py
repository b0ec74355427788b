from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import InboxEvent, Notification, UsageReport
from billing.services.metering.record_usage import record_usage
from billing.services.metering.report_usage import report_usage
from billing.services.notifications.notify_customer import notify_customer
from billing.services.notifications.send_notification import send_notification
from billing.services.retry_now import count_backlog, retry_now
from billing.services.sweep_billing import sweep_billing
from core.outbox import leases
from tests.factories import CustomerFactory, make_mitigation_of
from tests.outbox import park


@pytest.fixture
def report(billing_env, customer):
    """A fix whose report got no response from Stripe."""
    billing_env.stripe.control.add_fault("cut_before", path="/v1/billing/meter_events", times=None)
    execution = make_mitigation_of(customer)
    usage = record_usage(customer=customer, execution=execution, occurred_at=timezone.now())
    report_usage(usage_id=usage.pk)
    billing_env.stripe.control.clear_faults()
    return usage.report


class TestRetryNow:
    def test_makes_a_waiting_report_due_for_the_sweep(self, billing_env, report):
        retry_now(at=timezone.now())
        with billing_env.run_tasks():
            sweep_billing()
        report.refresh_from_db()
        assert report.status == "reported"
        assert len(billing_env.stripe.control.meter_events()) == 1

    def test_counts_waiting_rows(self, report):
        assert retry_now(at=timezone.now()).reports == 1
        assert count_backlog().reports == 1

    def test_makes_a_waiting_event_due(self, db):
        now = timezone.now()
        event = InboxEvent.objects.create(
            event_id="evt_1", event_type="x", payload="{}", next_attempt_at=now + timedelta(hours=1)
        )
        retry_now(at=now)
        event.refresh_from_db()
        assert event.next_attempt_at == now

    def test_keeps_the_lease_of_a_notification(self, db, mailoutbox):
        """Releasing the lease would mail the notification twice."""
        customer, at = CustomerFactory(), timezone.now()
        notify_customer(customer=customer, kind="recovered", reference="r", data={}, at=at)
        held = leases.claim(Notification.objects.all(), pk=Notification.objects.get().pk)
        retry_now(at=timezone.now())
        send_notification(notification_id=held.pk)
        assert mailoutbox == []
        assert Notification.objects.get().lease_owner == held.lease_owner

    def test_retries_parked_rows_when_asked(self, report):
        park(UsageReport.objects.all())
        assert retry_now(at=timezone.now(), with_parked=True).rejected == 0
        report.refresh_from_db()
        assert (report.status, report.failures) == ("pending", 0)

    def test_leaves_parked_rows_to_staff(self, report):
        park(UsageReport.objects.all())
        park(InboxEvent.objects.all())
        given_up = InboxEvent.objects.count()
        backlog = retry_now(at=timezone.now())
        assert (backlog.reports, backlog.events, backlog.rejected) == (0, 0, 1 + given_up)
        report.refresh_from_db()
        assert report.status == "parked"
