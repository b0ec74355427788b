"""Every sequence of claims, outcomes, crashes and operator actions keeps the invariants of the outbox."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from billing.models import InboxEvent
from core.outbox import leases, operators

from .rows import make_row

POLICY = InboxEvent.policy


class Outbox(RuleBasedStateMachine):
    """A model of one row. `holder` is the claim that may write the outcome."""

    claimed = Bundle("claimed")

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.now = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
        self.clock = pytest.MonkeyPatch()
        self.clock.setattr(timezone, "now", lambda: self.now)
        self.rows = InboxEvent.objects.filter(pk=make_row().pk)
        self.holder: InboxEvent | None = None
        self.outcomes = self.lost = 0
        self.may_be_parked = False

    def teardown(self) -> None:
        if hasattr(self, "clock"):
            self.clock.undo()
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    @property
    def row(self) -> InboxEvent:
        return self.rows.get()

    @property
    def is_leased(self) -> bool:
        return self.holder is not None and self.holder.lease_ends_at > self.now

    @rule(target=claimed)
    def claim(self) -> Any:
        before = self.row
        got = leases.claim(self.rows.all(), pk=before.pk)
        may = before.status == "pending" and before.next_attempt_at <= self.now and not self.is_leased
        lost = self.lost + (self.holder is not None)
        if not may or lost >= POLICY.max_lost_leases:
            assert got is None
            if may:
                assert self.row.status == "parked"
                self.holder = None
            return multiple()
        assert got is not None and got.attempts == before.attempts + 1
        # A fresh copy: the outcomes change the instance that the worker has.
        self.holder, self.lost = self.row, lost
        return got

    @rule(row=claimed)
    def commit_in_between(self, row: InboxEvent) -> None:
        assert leases.held(row).update(event_type="b") == self._holds(row)

    @rule(row=consumes(claimed), kind=st.sampled_from(("complete", "reschedule", "release", "fail", "park")))
    def write_outcome(self, row: InboxEvent, kind: str) -> None:
        holds = self._holds(row)
        write = {
            "complete": lambda: leases.complete(row, status="processed"),
            "reschedule": lambda: leases.reschedule(row, "no"),
            "release": lambda: leases.release(row, "no", at=self.now),
            "fail": lambda: leases.fail(row, "no"),
            "park": lambda: leases.park(row, "no"),
        }[kind]
        before = InboxEvent.objects.filter(pk=row.pk).values().get()
        assert write() is holds
        if holds:
            self.holder, self.lost = None, 0
        else:
            assert InboxEvent.objects.filter(pk=row.pk).values().get() == before

    @rule(row=consumes(claimed))
    def die(self, row: InboxEvent) -> None:
        """The worker is killed before it writes an outcome."""

    @rule(seconds=st.sampled_from((1, 60, 179, 181, 4000)))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def retry_now(self) -> None:
        was_parked = self.row.status == "parked"
        operators.retry_now(self.rows.all(), at=self.now)
        if was_parked:
            self.lost = 0
            assert self.row.status == "pending"

    @rule()
    def reopen(self) -> None:
        was_pending = self.row.status == "pending"
        assert operators.reopen(self.rows.all(), at=self.now) == (not was_pending)
        if not was_pending:
            self.holder, self.lost = None, 0

    @rule()
    def close(self) -> None:
        assert operators.close(self.rows.all(), at=self.now, status="processed") == (not self.is_leased)
        if not self.is_leased:
            self.holder = None

    @invariant()
    def running_lease_is_unchanged(self) -> None:
        if not hasattr(self, "clock") or not self.is_leased:
            return
        row, holder = self.row, self.holder
        assert holder is not None
        assert (row.status, row.lease_owner) == ("pending", holder.lease_owner)
        assert row.next_attempt_at == row.lease_ends_at == holder.lease_ends_at

    def _holds(self, row: InboxEvent) -> bool:
        return self.holder is not None and self.holder.lease_owner == row.lease_owner


@pytest.mark.django_db
def test_every_sequence_keeps_the_invariants() -> None:
    run_state_machine_as_test(Outbox, settings=settings(max_examples=40, stateful_step_count=30))
