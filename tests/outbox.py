"""Put outbox rows into the states that time, staff and crashed workers cause."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.outbox import operators


def make_due(rows: QuerySet[Any], *, at: datetime | None = None) -> None:
    """End every wait and every lease of pending rows.

    An UPDATE, because a moved clock would also make due what else waits, and worker processes have their own.
    """
    at = at or timezone.now()
    pending = rows.filter(status="pending")
    pending.filter(lease_owner=None).update(next_attempt_at=at)
    pending.exclude(lease_owner=None).update(next_attempt_at=at, lease_ends_at=at)


def park(rows: QuerySet[Any], *, ago: timedelta = timedelta(0)) -> None:
    """Park rows, as for staff."""
    operators.park_rows(rows, at=timezone.now() - ago, reason="No.")


def parked() -> dict[str, Any]:
    """Return the fields of a new row that is parked."""
    return {"status": "parked", "parked_at": timezone.now(), "next_attempt_at": None}
