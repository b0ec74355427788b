from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import InboxEvent, UsageReport
from core import health
from core.metrics import collectors
from core.metrics.collectors import Collector, read_gauges
from provisioning.models import OutgoingMail, ProvisioningEvent
from tests.factories import CustomerFactory, UsageRecordFactory
from tests.outbox import parked

NOW = timezone.now()
AN_HOUR_AGO = NOW - timedelta(hours=1)


@pytest.fixture(autouse=True)
def all_healthy(monkeypatch):
    monkeypatch.setitem(health.HEALTH_CHECKS, "stripe", lambda: None)


def read():
    return {
        sample.name: sample.value
        for metric in read_gauges()
        for sample in metric.samples
        if not sample.labels
    }


def make_report(**fields):
    usage = UsageRecordFactory(coverage="metered", plan="payg", unit_price_cents=1500, created_at=AN_HOUR_AGO)
    return UsageReport.objects.create(usage=usage, customer=usage.customer, **fields)


@pytest.mark.django_db
class TestReadGauges:
    def test_is_zero_without_rows(self):
        found = read()
        assert set(found.values()) == {0}
        assert "rsolv_billing_reconciliation_last_run_timestamp_seconds" not in found

    def test_counts_unreported_and_rejected_usage(self):
        make_report()
        make_report(**parked())
        make_report(status=UsageReport.Status.REPORTED, reported_at=NOW, next_attempt_at=None)
        found = read()
        assert found["rsolv_billing_usage_unreported"] == 1
        assert found["rsolv_billing_usage_rejected"] == 1
        assert found["rsolv_billing_usage_oldest_unreported_seconds"] >= 3600

    def test_counts_unprocessed_and_failed_webhooks(self):
        fields = {"event_type": "invoice.paid", "payload": "{}", "received_at": AN_HOUR_AGO}
        InboxEvent.objects.create(event_id="evt_1", **fields)
        InboxEvent.objects.create(event_id="evt_2", **fields, **parked())
        InboxEvent.objects.create(
            event_id="evt_3", **fields, status="processed", processed_at=NOW, next_attempt_at=None
        )
        found = read()
        assert found["rsolv_billing_webhooks_unprocessed"] == found["rsolv_billing_webhooks_failed"] == 1
        assert found["rsolv_billing_webhooks_oldest_unprocessed_seconds"] >= 3600

    def test_counts_unfinished_signups_without_future_mails(self):
        events = {"customer": CustomerFactory(), "status": ProvisioningEvent.Status.PENDING}
        late = {"due_at": AN_HOUR_AGO, "next_attempt_at": NOW + timedelta(minutes=5)}
        ahead = {"due_at": NOW + timedelta(days=1), "next_attempt_at": NOW + timedelta(days=1)}
        ProvisioningEvent.objects.create(step=ProvisioningEvent.Step.STRIPE_CUSTOMER, **events, **late)
        ProvisioningEvent.objects.create(step=ProvisioningEvent.Step.MAIL_DAY_1, **events, **ahead)
        OutgoingMail.objects.create(to="a@example.com", subject="Your code", text="1234")
        found = read()
        assert found["rsolv_provisioning_unfinished"] == found["rsolv_provisioning_mail_unsent"] == 1
        assert found["rsolv_provisioning_oldest_unfinished_seconds"] >= 3600

    def test_queue_age_ignores_rescheduled_rows(self):
        make_report(next_attempt_at=NOW - timedelta(minutes=5))
        make_report(next_attempt_at=NOW + timedelta(minutes=5))
        assert 300 <= read()["rsolv_queue_oldest_seconds"] < 3600

    def test_runs_the_same_queries_for_more_rows(self):
        with CaptureQueriesContext(connection) as empty:
            read()
        for _ in range(3):
            make_report()
        with CaptureQueriesContext(connection) as full:
            read()
        assert len(full) == len(empty)

    def test_continues_after_a_failed_collector(self, monkeypatch):
        def fail():
            raise ValueError

        monkeypatch.setitem(collectors.COLLECTORS, "billing", Collector("database", fail))
        found = read()
        assert "rsolv_billing_usage_unreported" not in found
        assert found["rsolv_provisioning_unfinished"] == 0

    @pytest.mark.services
    def test_aborts_a_query_that_takes_too_long(self, monkeypatch):
        def sleep():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(60)")

        monkeypatch.setattr(collectors, "STATEMENT_SECONDS", 0.05)
        monkeypatch.setitem(collectors.COLLECTORS, "billing", Collector("database", sleep))
        assert read()["rsolv_provisioning_unfinished"] == 0
