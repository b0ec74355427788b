"""What others than the row's worker may do. None of it ends a lease that runs."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from .leases import ERROR_LENGTH, NO_LEASE
from .models import PARKED, PENDING, OutboxRow, is_waiting

FRESH = {"status": PENDING, "parked_at": None, "failures": 0, "lost_leases": 0, "last_error": ""}


def retry_now(rows: QuerySet[Any], *, at: datetime) -> int:
    """Make rows that wait for a later attempt due, and parked ones pending again; how many.

    The sweep enqueues them. A row that a worker holds stays with it: a second attempt beside it would send
    the same twice.
    """
    chosen = _choose(rows)
    count = chosen.filter(is_waiting(at)).update(next_attempt_at=at)
    return count + chosen.filter(status=PARKED).update(next_attempt_at=at, **FRESH)


def reopen(rows: QuerySet[Any], *, at: datetime, **fields: Any) -> int:
    """Make rows that are done or parked pending again; how many."""
    return _choose(rows).exclude(status=PENDING).update(**FRESH | {"next_attempt_at": at} | fields)


def close(rows: QuerySet[Any], *, at: datetime, status: str, **fields: Any) -> int:
    """Mark rows as done in this way, where somebody else than their worker decides so; how many.

    What a worker holds stays as it is.
    """
    done = {"status": status, "next_attempt_at": None, "parked_at": None, "last_error": ""}
    return _choose(rows).filter(_is_free(at)).update(**NO_LEASE | done | fields)


def park_rows(rows: QuerySet[Any], *, at: datetime, reason: str, **fields: Any) -> int:
    """Let rows wait for staff, where somebody else than their worker learns that they failed; how many.

    What a worker holds stays as it is.
    """
    parked = {"status": PARKED, "next_attempt_at": None, "parked_at": at, "last_error": reason[:ERROR_LENGTH]}
    return _choose(rows).filter(_is_free(at)).update(**NO_LEASE | parked | fields)


def _is_free(at: datetime) -> Q:
    return Q(lease_ends_at=None) | Q(lease_ends_at__lte=at)


def _choose(rows: QuerySet[Any]) -> QuerySet[Any]:
    """By id, so that what is filtered after it is checked again once the row is locked for the update."""
    model: type[OutboxRow] = rows.model
    return model._base_manager.filter(pk__in=rows.order_by().values("pk"))
