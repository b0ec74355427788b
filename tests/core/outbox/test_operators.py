import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from billing.models import InboxEvent
from core.outbox import leases, operators
from tests.outbox import make_due, park, parked

from .rows import claim, make_row, read, take

ALL = InboxEvent.objects.all()
MUTATIONS = {
    "retry_now": lambda: operators.retry_now(ALL, at=timezone.now()),
    "reopen": lambda: operators.reopen(ALL, at=timezone.now()),
    "close": lambda: operators.close(ALL, at=timezone.now(), status="processed"),
    "park_rows": lambda: operators.park_rows(ALL, at=timezone.now(), reason="no"),
}


@pytest.mark.django_db
class TestRunningLease:
    @pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
    def test_is_not_changed(self, mutate):
        make_row()
        row = take()
        assert mutate() == 0
        kept = read()
        assert (kept.lease_owner, kept.lease_ends_at) == (row.lease_owner, row.lease_ends_at)
        assert (claim(), leases.complete(row, status="processed")) == (None, True)

    @pytest.mark.parametrize(
        "fields", [{"next_attempt_at": timezone.now()}, {"status": "processed", "next_attempt_at": None}]
    )
    def test_is_protected_by_a_database_constraint(self, fields):
        make_row()
        take()
        with pytest.raises(IntegrityError, match="inbox_event_lease_is_kept"), transaction.atomic():
            InboxEvent.objects.update(**fields)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_lease_acquired_during_close_is_not_changed():
    make_row(next_attempt_at=timezone.now() - timedelta(minutes=1))
    later = timezone.now() + timedelta(hours=1)
    is_claimed, leased = threading.Event(), []

    def work():
        with transaction.atomic():
            leased.append(take())
            is_claimed.set()
            threading.Event().wait(0.5)
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    assert is_claimed.wait(10)
    operators.close(ALL, at=later - timedelta(hours=1), status="processed")
    worker.join()
    assert (read().status, read().lease_owner) == ("pending", leased[0].lease_owner)


@pytest.mark.django_db
class TestRetryNow:
    def test_makes_a_waiting_row_due(self):
        make_row(next_attempt_at=timezone.now() + timedelta(hours=1), failures=3)
        assert operators.retry_now(ALL, at=timezone.now()) == 1
        assert (claim() is not None, read().failures) == (True, 3)

    def test_makes_a_parked_row_pending_and_resets_its_counters(self):
        make_row(**parked(), attempts=12, failures=12, lost_leases=5, last_error="no")
        assert operators.retry_now(ALL, at=timezone.now()) == 1
        row = read()
        assert (row.status, row.parked_at, row.last_error) == ("pending", None, "")
        assert (row.attempts, row.failures, row.lost_leases) == (12, 0, 0)
        assert claim() is not None

    def test_lets_a_row_with_lost_leases_be_claimed_again(self):
        make_row()
        for _ in range(InboxEvent.policy.max_lost_leases):
            take()
            make_due(ALL)
        assert claim() is None
        operators.retry_now(ALL, at=timezone.now())
        assert claim() is not None

    def test_changes_only_the_selected_rows(self):
        for name in ("evt_1", "evt_2"):
            make_row(name, **parked())
        operators.retry_now(InboxEvent.objects.filter(pk="evt_1"), at=timezone.now())
        assert (read("evt_1").status, read("evt_2").status) == ("pending", "parked")

    def test_skips_a_completed_row(self):
        make_row(status="processed", next_attempt_at=None)
        assert operators.retry_now(ALL, at=timezone.now()) == 0


@pytest.mark.django_db
class TestReopen:
    def test_makes_a_completed_row_pending(self):
        make_row(status="processed", next_attempt_at=None, processed_at=timezone.now())
        assert operators.reopen(ALL, at=timezone.now(), processed_at=None) == 1
        assert (claim() is not None, read().processed_at) == (True, None)


@pytest.mark.django_db
class TestClose:
    def test_prevents_the_outcome_of_a_worker_whose_lease_expired(self):
        make_row()
        row = take()
        make_due(ALL)
        assert operators.close(ALL, at=timezone.now(), status="processed") == 1
        assert not leases.reschedule(row, "late")

    def test_completes_a_parked_row(self):
        make_row()
        park(ALL)
        operators.close(ALL, at=timezone.now(), status="processed")
        assert (read().status, read().parked_at) == ("processed", None)
