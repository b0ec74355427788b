"""A worker's functions: claim a row, then write one outcome, which counts only while it holds the lease."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from .metrics import OUTBOX_PARKED
from .models import PARKED, PENDING, OutboxRow, is_due

log = structlog.get_logger(__name__)

Row = TypeVar("Row", bound=OutboxRow)
ERROR_LENGTH = 300
NO_LEASE = {"lease_owner": None, "lease_ends_at": None}
LOST = "Every worker that leased it died or was killed before it could write an outcome."


def claim(rows: QuerySet[Row], *, pk: Any) -> Row | None:
    """Lease the row `pk` of `rows`, or return None if it is not due or another worker has it.

    Never waits: SKIP LOCKED leaves a locked row to the transaction that holds it. A row whose leases too
    often ended without an outcome is parked instead. Commits unless the caller has opened a transaction.
    """
    now = timezone.now()
    with transaction.atomic():
        # Only this table's row: `rows` may have outer joins, whose nullable side PostgreSQL cannot lock.
        row = rows.filter(is_due(now), pk=pk).select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return None
        # Every outcome clears the owner, so an owner that is still there wrote none.
        lost = 0 if row.lease_owner is None else row.lost_leases + 1
        if lost >= row.policy.max_lost_leases:
            fields = _parked(LOST, now) | {"lost_leases": lost}
            if _swap(row, fields, now):
                _announce_parked(row, "lost_leases")
            return None
        ends_at = now + settings.OUTBOX_LEASE
        fields = {
            "lease_owner": uuid4(),
            "lease_ends_at": ends_at,
            "next_attempt_at": ends_at,
            "attempts": row.attempts + 1,
            "lost_leases": lost,
        }
        return row if _swap(row, fields, now) else None


def held(row: Row) -> QuerySet[Row]:
    """Return the row as a queryset, which is empty once the lease has been taken over.

    For writes in the middle of an attempt: if such an update changes nothing, the worker must stop.
    """
    rows = type(row)._base_manager.filter(pk=row.pk, status=PENDING, lease_owner=row.lease_owner)
    # Once an outcome is written, `row.lease_owner` is None, which the filter would match in any free row.
    return rows.exclude(lease_owner=None)


def complete(row: OutboxRow, *, status: str, **fields: Any) -> bool:
    """Mark a claimed row as done with this status.

    Returns False, and writes nothing, if another worker has taken over the lease.
    """
    return _write(row, {"status": status, "next_attempt_at": None, "last_error": ""} | fields)


def release(row: OutboxRow, reason: str, *, at: datetime, **fields: Any) -> bool:
    """Give a claimed row back, due again at `at` for its next step. Does not count as a failure."""
    return _write(row, {"next_attempt_at": at, "last_error": reason} | fields)


def reschedule(row: OutboxRow, reason: str, **fields: Any) -> bool:
    """Give a claimed row back, to be retried after a wait that grows with each failure."""
    failures = row.failures + 1
    next_attempt_at = row.policy.schedule_retry(failures=failures, now=timezone.now())
    return release(row, reason, at=next_attempt_at, failures=failures, **fields)


def park(row: OutboxRow, reason: str, **fields: Any) -> bool:
    """Give up a claimed row: it waits for staff."""
    is_written = _write(row, _parked(reason, timezone.now()) | fields)
    if is_written:
        _announce_parked(row, "given_up")
    return is_written


def fail(row: OutboxRow, reason: str) -> bool:
    """Reschedule a claimed row, or park it if this was its last attempt."""
    is_last = row.policy.is_last(failures=row.failures + 1)
    return park(row, reason) if is_last else reschedule(row, reason)


def describe(error: Exception) -> str:
    """Return an unexpected error as text for `last_error`."""
    return f"{type(error).__name__}: {error}"


def _parked(reason: str, now: datetime) -> dict[str, Any]:
    return NO_LEASE | {"status": PARKED, "parked_at": now, "next_attempt_at": None, "last_error": reason}


def _swap(row: OutboxRow, fields: dict[str, Any], now: datetime) -> bool:
    """Update a row unless it has been claimed since it was read.

    On PostgreSQL the row lock guarantees this already. SQLite has no row locks, so this condition decides
    there.
    """
    rows = type(row)._base_manager.filter(is_due(now), pk=row.pk, attempts=row.attempts)
    return _apply(row, rows, fields)


def _write(row: OutboxRow, fields: dict[str, Any]) -> bool:
    rows = held(row)
    is_written = _apply(row, rows, NO_LEASE | {"lost_leases": 0} | fields)
    if not is_written:
        log.warning("outbox_lease_lost", table=row._meta.db_table, row=str(row.pk))
    return is_written


def _apply(row: OutboxRow, rows: QuerySet[Any], fields: dict[str, Any]) -> bool:
    # Cut here, because update() does not check the column's length and PostgreSQL would reject it.
    fields = fields | {"last_error": fields.get("last_error", row.last_error)[:ERROR_LENGTH]}
    if not rows.update(**fields):
        return False
    for name, value in fields.items():
        setattr(row, name, value)
    return True


def _announce_parked(row: OutboxRow, reason: str) -> None:
    log.error("outbox_row_parked", table=row._meta.db_table, row=str(row.pk), reason=reason)
    transaction.on_commit(OUTBOX_PARKED.labels(row._meta.db_table, reason).inc)
    transaction.on_commit(row.count_parked)
