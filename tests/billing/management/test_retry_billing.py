import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing.models import InboxEvent


@pytest.fixture
def event(db):
    later = timezone.now() + timedelta(hours=1)
    return InboxEvent.objects.create(event_id="evt_1", event_type="x", payload="{}", next_attempt_at=later)


def run(**options):
    said = StringIO()
    call_command("retry_billing", stdout=said, **options)
    return said.getvalue()


class TestRetryBilling:
    def test_makes_waiting_rows_due(self, event):
        assert "1 events" in run()
        event.refresh_from_db()
        assert event.next_attempt_at <= timezone.now()

    def test_only_counts_on_a_dry_run(self, event):
        found = json.loads(run(dry_run=True, json=True))
        assert {kind: count for kind, count in found.items() if count} == {"events": 1}
        event.refresh_from_db()
        assert event.next_attempt_at > timezone.now()
