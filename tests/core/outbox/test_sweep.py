import importlib
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import CorrectionReport, FeatureFlag, InboxEvent, UsageReport
from core import outbox
from tests.factories import BillingAccountFactory, UsageRecordFactory
from tests.outbox import make_due, parked

from .rows import make_row, take

# The package has a function of the module's name.
module = importlib.import_module("core.outbox.sweep")


@pytest.fixture
def enqueued(monkeypatch):
    """What was asked for, task by task."""
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(module, "enqueue_on_commit", lambda *call: found.append(call))
    return found


def sweep():
    return outbox.sweep([InboxEvent], at=timezone.now())


@pytest.mark.django_db
class TestSweep:
    def test_enqueues_what_is_due_and_whose_lease_has_expired(self, enqueued):
        make_row("evt_1")
        take("evt_1")
        make_due(InboxEvent.objects.all())
        make_row("evt_2")
        assert sweep() == 2
        assert set(enqueued) == {("billing.tasks.process_webhook", f"evt_{number}") for number in (1, 2)}

    def test_leaves_what_is_leased_parked_done_or_waits(self, enqueued):
        make_row("evt_1")
        take("evt_1")
        make_row("evt_2", **parked())
        make_row("evt_3", status="processed", next_attempt_at=None)
        make_row("evt_4", next_attempt_at=timezone.now() + timedelta(minutes=1))
        assert (sweep(), enqueued) == (0, [])

    def test_takes_a_bounded_batch_the_oldest_first(self, enqueued, monkeypatch):
        monkeypatch.setattr(module, "BATCH", 2)
        for number in range(3):
            make_row(f"evt_{number}", next_attempt_at=timezone.now() - timedelta(hours=number))
        sweep()
        assert [pk for _, pk in enqueued] == ["evt_2", "evt_1"]

    def test_asks_once_a_table_however_much_is_due(self, enqueued):
        for number in range(5):
            make_row(f"evt_{number}")
        with CaptureQueriesContext(connection) as queries:
            outbox.sweep(outbox.list_outboxes(), at=timezone.now())
        assert len(queries) == len(outbox.list_outboxes())


def test_every_table_is_known():
    assert {model._meta.label for model in outbox.list_outboxes()} == {
        "billing.UsageReport",
        "billing.CorrectionReport",
        "billing.InboxEvent",
        "billing.SubscriptionRequest",
        "billing.Notification",
        "provisioning.OutgoingMail",
        "provisioning.ProvisioningEvent",
    }


@pytest.mark.django_db
class TestWhatStaffHoldBack:
    @pytest.fixture(autouse=True)
    def report(self):
        usage = UsageRecordFactory(coverage="metered", plan="payg")
        BillingAccountFactory(customer=usage.customer, plan="payg", status="active")
        return UsageReport.objects.create(usage=usage, customer=usage.customer)

    def test_is_due_while_nothing_is_held_back(self, report):
        assert list(UsageReport.list_due(timezone.now())) == [report]

    def test_is_not_due_while_billing_is_off(self):
        FeatureFlag.objects.create(name="billing_enabled", is_on=False)
        assert not UsageReport.list_due(timezone.now()).exists()

    def test_is_not_due_while_its_customer_is_paused(self, report):
        type(report.customer.billing_account).objects.update(paused_at=timezone.now())
        assert not UsageReport.list_due(timezone.now()).exists()
        assert not CorrectionReport.list_due(timezone.now()).exists()


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize("model", outbox.list_outboxes(), ids=lambda model: model.__name__)
def test_what_is_due_is_found_by_the_partial_index(model):
    """Whatever else the table holds: a plan without it would walk over all that is done."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    due = model.list_due(timezone.now()).order_by("next_attempt_at").values_list("pk", flat=True)[:1000]
    (index,) = (each.name for each in model._meta.indexes if each.name.endswith("_open"))
    assert f"Index Scan using {index}" in due.explain() or f"Index Only Scan using {index}" in due.explain()
