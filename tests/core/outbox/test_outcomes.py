import pytest
from django.utils import timezone

from billing.models import InboxEvent
from core import outbox
from tests.outbox import make_due

from .rows import claim, make_row, read, take

OUTCOMES = {
    "complete": lambda row: outbox.complete(row, status="processed"),
    "reschedule": lambda row: outbox.reschedule(row, "late"),
    "release": lambda row: outbox.release(row, "late", at=timezone.now()),
    "fail": lambda row: outbox.fail(row, "late"),
    "park": lambda row: outbox.park(row, "late"),
}


@pytest.fixture
def row(db):
    make_row()
    return take()


class TestALateOutcome:
    """Of a worker whose lease was taken over."""

    @pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
    def test_is_not_written_over_the_new_holders_lease(self, row, outcome):
        make_due(InboxEvent.objects.all())
        new = take()
        assert outcome(row) is False
        kept = read()
        assert (kept.status, kept.lease_owner, kept.last_error) == ("pending", new.lease_owner, "")
        assert kept.next_attempt_at == new.lease_ends_at

    @pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
    def test_is_not_written_over_the_new_holders_outcome(self, row, outcome):
        make_due(InboxEvent.objects.all())
        outbox.complete(take(), status="processed", processed_at=timezone.now())
        assert outcome(row) is False
        assert (read().status, read().last_error) == ("processed", "")

    def test_counts_while_nobody_else_has_taken_the_row(self, row):
        make_due(InboxEvent.objects.all())
        assert outbox.complete(row, status="processed")
        assert read().status == "processed"

    def test_leaves_what_is_committed_in_between_alone_too(self, row):
        assert outbox.held(row).update(payload="mine") == 1
        make_due(InboxEvent.objects.all())
        take()
        assert outbox.held(row).update(payload="not mine any more") == 0


class TestComplete:
    def test_releases_the_row_and_keeps_what_belongs_to_it(self, row):
        at = timezone.now()
        assert outbox.complete(row, status="processed", processed_at=at)
        kept = read()
        assert (kept.status, kept.processed_at, kept.next_attempt_at) == ("processed", at, None)
        assert kept.lease_owner is kept.lease_ends_at is None

    def test_counts_once(self, row):
        assert outbox.complete(row, status="processed")
        assert not outbox.complete(row, status="processed")


class TestReschedule:
    def test_lets_the_row_be_claimed_after_its_wait(self, row):
        outbox.reschedule(row, "no answer")
        kept = read()
        assert (kept.status, kept.failures, kept.last_error) == ("pending", 1, "no answer")
        assert claim() is None
        make_due(InboxEvent.objects.all())
        assert claim() is not None

    def test_keeps_so_much_of_the_error_as_there_is_room_for(self, row):
        outbox.reschedule(row, "x" * 1000)
        assert len(read().last_error) == 300

    def test_waits_longer_each_time_up_to_an_hour(self, row):
        waits = []
        for _ in range(14):
            outbox.reschedule(row, "no answer")
            waits.append((row.next_attempt_at - timezone.now()).total_seconds())
            make_due(InboxEvent.objects.all())
            row = take()
        assert 20 < waits[0] < 40
        assert waits[0] < waits[3] < waits[6]
        assert 2600 < waits[-1] < 4600


class TestRelease:
    def test_lets_the_next_step_begin_at_once_and_counts_no_failure(self, row):
        outbox.release(row, "next step", at=timezone.now())
        assert (read().failures, claim() is not None) == (0, True)


class TestFail:
    def test_parks_the_row_at_its_last_attempt(self, row):
        for _ in range(InboxEvent.policy.max_failures - 1):
            outbox.fail(row, "no answer")
            assert read().status == "pending"
            make_due(InboxEvent.objects.all())
            row = take()
        outbox.fail(row, "no answer")
        kept = read()
        assert (kept.status, kept.last_error, kept.parked_at is None) == ("parked", "no answer", False)

    def test_of_a_table_without_a_bound_never_parks(self):
        policy = outbox.Policy(task="")
        assert not policy.is_last(failures=10_000)
