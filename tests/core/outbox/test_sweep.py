from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import CorrectionReport, FeatureFlag, InboxEvent, UsageReport
from billing.services.metering.pause_customer import pause_customer
from core.outbox import sweep
from core.outbox.sweep import list_outboxes
from tests.factories import BillingAccountFactory, UsageRecordFactory
from tests.outbox import make_due, parked

from .rows import make_row, take


@pytest.fixture
def enqueued(monkeypatch):
    """The calls of enqueue_on_commit, in order."""
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(sweep, "enqueue_on_commit", lambda *call: found.append(call))
    return found


def sweep_inbox():
    return sweep.sweep([InboxEvent], at=timezone.now())


@pytest.mark.django_db
class TestSweep:
    def test_enqueues_due_rows_and_expired_leases(self, enqueued):
        make_row("evt_1")
        take("evt_1")
        make_due(InboxEvent.objects.all())
        make_row("evt_2")
        assert sweep_inbox() == 2
        assert set(enqueued) == {("billing.tasks.process_webhook", f"evt_{number}") for number in (1, 2)}

    def test_skips_leased_parked_completed_and_waiting_rows(self, enqueued):
        make_row("evt_1")
        take("evt_1")
        make_row("evt_2", **parked())
        make_row("evt_3", status="processed", next_attempt_at=None)
        make_row("evt_4", next_attempt_at=timezone.now() + timedelta(minutes=1))
        assert (sweep_inbox(), enqueued) == (0, [])

    def test_enqueues_a_bounded_batch_oldest_first(self, enqueued, monkeypatch):
        monkeypatch.setattr(sweep, "BATCH", 2)
        for number in range(3):
            make_row(f"evt_{number}", next_attempt_at=timezone.now() - timedelta(hours=number))
        sweep_inbox()
        assert [pk for _, pk in enqueued] == ["evt_2", "evt_1"]

    def test_runs_one_query_per_table(self, enqueued):
        for number in range(5):
            make_row(f"evt_{number}")
        with CaptureQueriesContext(connection) as queries:
            sweep.sweep(list_outboxes(), at=timezone.now())
        assert len(queries) == len(list_outboxes())


def test_list_outboxes_finds_every_table():
    assert {model._meta.label for model in list_outboxes()} == {
        "billing.UsageReport",
        "billing.CorrectionReport",
        "billing.InboxEvent",
        "billing.SubscriptionRequest",
        "billing.Notification",
        "provisioning.OutgoingMail",
        "provisioning.ProvisioningEvent",
    }


@pytest.mark.django_db
class TestPausedReports:
    @pytest.fixture(autouse=True)
    def report(self):
        usage = UsageRecordFactory(coverage="metered", plan="payg")
        BillingAccountFactory(customer=usage.customer, plan="payg", status="active")
        return UsageReport.objects.create(usage=usage, customer=usage.customer)

    def test_is_due_by_default(self, report):
        assert list(UsageReport.list_due(timezone.now())) == [report]

    def test_is_not_due_while_billing_is_disabled(self):
        FeatureFlag.objects.create(name="billing_enabled", is_on=False)
        assert not UsageReport.list_due(timezone.now()).exists()

    def test_is_not_due_while_the_customer_is_paused(self, report):
        pause_customer(customer=report.customer, reason="dispute", at=timezone.now())
        assert not UsageReport.list_due(timezone.now()).exists()
        assert not CorrectionReport.list_due(timezone.now()).exists()


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize("model", list_outboxes(), ids=lambda model: model.__name__)
def test_due_rows_are_found_by_the_partial_index(model):
    """Without it, the query would scan all completed rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    due = model.list_due(timezone.now()).order_by("next_attempt_at").values_list("pk", flat=True)[:1000]
    (index,) = (each.name for each in model._meta.indexes if each.name.endswith("_open"))
    assert f"Index Scan using {index}" in due.explain() or f"Index Only Scan using {index}" in due.explain()
