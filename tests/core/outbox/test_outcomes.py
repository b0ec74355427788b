import pytest
from django.utils import timezone

from billing.models import InboxEvent
from core.outbox import leases
from core.outbox.policy import Policy
from tests.outbox import make_due

from .rows import claim, make_row, read, take

OUTCOMES = {
    "complete": lambda row: leases.complete(row, status="processed"),
    "reschedule": lambda row: leases.reschedule(row, "late"),
    "release": lambda row: leases.release(row, "late", at=timezone.now()),
    "fail": lambda row: leases.fail(row, "late"),
    "park": lambda row: leases.park(row, "late"),
}


@pytest.fixture
def row(db):
    make_row()
    return take()


class TestLateOutcome:
    """The outcome of a worker whose lease has expired."""

    @pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
    def test_does_not_overwrite_the_new_lease(self, row, outcome):
        make_due(InboxEvent.objects.all())
        new = take()
        assert outcome(row) is False
        kept = read()
        assert (kept.status, kept.lease_owner, kept.last_error) == ("pending", new.lease_owner, "")
        assert kept.next_attempt_at == new.lease_ends_at

    @pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
    def test_does_not_overwrite_the_new_outcome(self, row, outcome):
        make_due(InboxEvent.objects.all())
        leases.complete(take(), status="processed", processed_at=timezone.now())
        assert outcome(row) is False
        assert (read().status, read().last_error) == ("processed", "")

    def test_is_written_if_no_other_worker_claimed_the_row(self, row):
        make_due(InboxEvent.objects.all())
        assert leases.complete(row, status="processed")
        assert read().status == "processed"

    def test_cannot_update_held_rows(self, row):
        assert leases.held(row).update(payload="mine") == 1
        make_due(InboxEvent.objects.all())
        take()
        assert leases.held(row).update(payload="no longer mine") == 0


class TestComplete:
    def test_ends_the_lease_and_saves_the_fields(self, row):
        at = timezone.now()
        assert leases.complete(row, status="processed", processed_at=at)
        kept = read()
        assert (kept.status, kept.processed_at, kept.next_attempt_at) == ("processed", at, None)
        assert kept.lease_owner is kept.lease_ends_at is None

    def test_returns_false_the_second_time(self, row):
        assert leases.complete(row, status="processed")
        assert not leases.complete(row, status="processed")


class TestReschedule:
    def test_makes_the_row_due_after_its_wait(self, row):
        leases.reschedule(row, "no answer")
        kept = read()
        assert (kept.status, kept.failures, kept.last_error) == ("pending", 1, "no answer")
        assert claim() is None
        make_due(InboxEvent.objects.all())
        assert claim() is not None

    def test_truncates_a_long_error(self, row):
        leases.reschedule(row, "x" * 1000)
        assert len(read().last_error) == 300

    def test_waits_longer_each_time_up_to_an_hour(self, row):
        waits = []
        for _ in range(14):
            leases.reschedule(row, "no answer")
            waits.append((row.next_attempt_at - timezone.now()).total_seconds())
            make_due(InboxEvent.objects.all())
            row = take()
        assert 20 < waits[0] < 40
        assert waits[0] < waits[3] < waits[6]
        assert 2600 < waits[-1] < 4600


class TestRelease:
    def test_makes_the_row_due_without_counting_a_failure(self, row):
        leases.release(row, "next step", at=timezone.now())
        assert (read().failures, claim() is not None) == (0, True)


class TestFail:
    def test_parks_the_row_after_the_last_attempt(self, row):
        for _ in range(InboxEvent.policy.max_failures - 1):
            leases.fail(row, "no answer")
            assert read().status == "pending"
            make_due(InboxEvent.objects.all())
            row = take()
        leases.fail(row, "no answer")
        kept = read()
        assert (kept.status, kept.last_error, kept.parked_at is None) == ("parked", "no answer", False)

    def test_never_parks_without_a_bound(self):
        policy = Policy(task="")
        assert not policy.is_last(failures=10_000)
