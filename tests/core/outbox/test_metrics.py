from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import InboxEvent
from core.outbox.metrics import read_outboxes
from tests.outbox import park

from .rows import make_row, take

TABLE = "billing_inboxevent"


def read(name):
    metrics = {metric.name: metric for metric in read_outboxes([InboxEvent])}
    return {
        sample.labels["state"]: sample.value
        for sample in metrics[name].samples
        if sample.labels["table"] == TABLE
    }


@pytest.fixture
def one_of_each(db):
    now = timezone.now()
    make_row("evt_due", next_attempt_at=now - timedelta(minutes=5))
    make_row("evt_waiting", next_attempt_at=now + timedelta(minutes=5))
    make_row("evt_leased")
    take("evt_leased")
    make_row("evt_parked")
    park(InboxEvent.objects.filter(pk="evt_parked"), ago=timedelta(hours=2))
    make_row("evt_done", status="processed", next_attempt_at=None)


class TestGauges:
    def test_count_each_state_once(self, one_of_each):
        assert read("rsolv_outbox_rows") == {"due": 1, "waiting": 1, "leased": 1, "parked": 1}

    def test_report_the_age_of_the_oldest_row_by_state(self, one_of_each):
        found = read("rsolv_outbox_oldest_seconds")
        assert 300 <= found["due"] < 400
        assert 7200 <= found["parked"] < 7300
        assert 0 <= found["leased"] < 100

    def test_are_zero_without_rows(self, db):
        assert set(read("rsolv_outbox_rows").values()) == {0}
        assert set(read("rsolv_outbox_oldest_seconds").values()) == {0}
