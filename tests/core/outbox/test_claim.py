import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from billing.models import InboxEvent
from core.outbox import leases
from tests.billing.billing_env import run_together
from tests.core.metrics.pages import Growth
from tests.outbox import make_due

from .rows import claim, make_row, read, take

MAX_LOST = InboxEvent.policy.max_lost_leases


def lose_leases(count):
    """Simulate workers that claim the row and die."""
    for _ in range(count):
        take()
        make_due(InboxEvent.objects.all())


class ContendedRows:
    """A queryset of which another worker claims the row as soon as it was read."""

    def filter(self, *args, **fields):
        self.rows = InboxEvent.objects.filter(*args, **fields)
        return self

    def select_for_update(self, **_):
        return self

    def first(self):
        row = self.rows.first()
        self.winner = take()
        return row


@pytest.mark.django_db
class TestClaim:
    def test_leases_a_due_row(self):
        make_row()
        row, now = take(), timezone.now()
        kept = read()
        assert kept.lease_owner == row.lease_owner is not None
        assert now < kept.lease_ends_at == kept.next_attempt_at <= now + settings.OUTBOX_LEASE
        assert timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT) < settings.OUTBOX_LEASE
        assert kept.attempts == 1

    def test_skips_a_row_that_is_not_due(self):
        make_row(next_attempt_at=timezone.now() + timedelta(minutes=1))
        assert claim() is None

    def test_skips_a_row_leased_by_another_worker(self):
        make_row()
        first = take()
        assert claim() is None
        assert read().lease_owner == first.lease_owner

    @pytest.mark.parametrize("status", ["processed", "parked"])
    def test_skips_a_row_that_is_not_pending(self, status):
        parked_at = timezone.now() if status == "parked" else None
        make_row(status=status, next_attempt_at=None, parked_at=parked_at)
        assert claim() is None

    def test_takes_over_an_expired_lease(self):
        make_row()
        first = take()
        make_due(InboxEvent.objects.all())
        second = take()
        assert first.lease_owner != second.lease_owner == read().lease_owner
        assert second.attempts == 2

    def test_fails_if_another_worker_claims_between_read_and_update(self):
        """As on SQLite, which has no row locks."""
        make_row()
        rows = ContendedRows()
        assert leases.claim(rows, pk="evt_1") is None  # type: ignore[type-var, arg-type]
        assert read().lease_owner == rows.winner.lease_owner
        assert read().attempts == 1


@pytest.mark.django_db
class TestLostLeases:
    def test_park_the_row_at_the_limit(self):
        make_row()
        lose_leases(MAX_LOST)
        assert claim() is None
        row = read()
        assert (row.status, row.next_attempt_at, row.lease_owner) == ("parked", None, None)
        assert (row.attempts, row.last_error) == (MAX_LOST, leases.LOST)

    def test_are_counted_since_the_last_outcome(self):
        make_row()
        lose_leases(MAX_LOST - 1)
        leases.reschedule(take(), "no answer")
        make_due(InboxEvent.objects.all())
        lose_leases(MAX_LOST - 1)
        assert claim() is not None

    def test_increment_the_metrics_of_the_outbox_and_the_table(self, django_capture_on_commit_callbacks):
        make_row()
        lose_leases(MAX_LOST)
        parked = Growth("rsolv_outbox_parked_total", table="billing_inboxevent", reason="lost_leases")
        failed = Growth("rsolv_billing_webhooks_processed_total", outcome="failed")
        with django_capture_on_commit_callbacks(execute=True):
            claim()
        assert (parked.so_far, failed.so_far) == (1, 1)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestConcurrentWorkers:
    def test_exactly_one_claims_the_row(self):
        make_row()
        got = [row for row in run_together(*[claim] * 8) if row is not None]
        assert len(got) == 1
        assert (read().attempts, read().lease_owner) == (1, got[0].lease_owner)

    def test_exactly_one_takes_over_an_expired_lease(self):
        make_row()
        take()
        make_due(InboxEvent.objects.all())
        got = [row for row in run_together(*[claim] * 8) if row is not None]
        assert len(got) == 1
        assert (read().attempts, read().lost_leases) == (2, 1)

    def test_claim_does_not_wait_for_a_locked_row(self):
        make_row()
        is_locked, may_end = threading.Event(), threading.Event()

        def lock():
            with transaction.atomic():
                InboxEvent.objects.select_for_update().get()
                is_locked.set()
                may_end.wait(10)
            connections.close_all()

        other = threading.Thread(target=lock)
        other.start()
        assert is_locked.wait(10)
        assert claim() is None
        may_end.set()
        other.join()
        assert claim() is not None


KILLED = """
import os, signal, sys
import django
django.setup()
from billing.models import InboxEvent
from core.outbox import leases
from django.db import connections
from tests.outbox import make_due
for _ in range(int(sys.argv[1])):
    connections.close_all()
    if not (child := os.fork()):
        leases.claim(InboxEvent.objects.all(), pk="evt_1")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    make_due(InboxEvent.objects.all())
"""


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_row_that_kills_its_workers_is_parked():
    """Real processes and real SIGKILLs."""
    make_row()
    name, default = connection.settings_dict["NAME"], settings.DATABASES["default"]
    env = os.environ | {"DATABASE_URL": f"postgres://{default['USER']}@{default['HOST']}/{name}"}
    argv = [sys.executable, "-c", KILLED, str(MAX_LOST)]
    ended = subprocess.run(argv, env=env | {"PYTHONPATH": "."}, capture_output=True, timeout=120)
    assert ended.returncode == 0, ended.stderr.decode()
    assert (read().attempts, read().lost_leases) == (MAX_LOST, MAX_LOST - 1)
    assert claim() is None
    assert read().status == "parked"
