from io import StringIO

import pytest
from django.core.management import call_command

from billing import tasks
from billing.models import InboxEvent
from tests.billing.services.webhooks.test_prune_events import keep_event


@pytest.mark.django_db
class TestPruneBilling:
    def test_prints_how_many_rows_were_pruned(self):
        keep_event(days=100)
        out = StringIO()
        call_command("prune_billing", stdout=out)
        assert out.getvalue().startswith("Pruned: 1 webhook bodies, 0 events, 0 deliveries")

    def test_runs_in_the_nightly_task(self):
        keep_event(days=100)
        tasks.prune_billing()
        assert InboxEvent.objects.get().payload == ""
