"""Operations on rows by anyone but their worker. None of them ends a running lease."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from .leases import ERROR_LENGTH, NO_LEASE
from .models import PARKED, PENDING, OutboxRow, is_waiting

FRESH = {"status": PENDING, "parked_at": None, "failures": 0, "lost_leases": 0, "last_error": ""}


def retry_now(rows: QuerySet[Any], *, at: datetime) -> int:
    """Make scheduled rows due and parked rows pending again. Return their number.

    The sweep enqueues them. A leased row is left to its worker: a second attempt at the same time would send
    twice.
    """
    chosen = _choose(rows)
    count = chosen.filter(is_waiting(at)).update(next_attempt_at=at)
    return count + chosen.filter(status=PARKED).update(next_attempt_at=at, **FRESH)


def reopen(rows: QuerySet[Any], *, at: datetime, **fields: Any) -> int:
    """Make done or parked rows pending again. Return their number."""
    # Only pending rows can be leased, so this ends no lease.
    return _choose(rows).exclude(status=PENDING).update(**FRESH | {"next_attempt_at": at} | fields)


def close(rows: QuerySet[Any], *, at: datetime, status: str, **fields: Any) -> int:
    """Mark rows as done when somebody other than their worker decides it. Return their number.

    Leased rows are unchanged.
    """
    done = {"status": status, "next_attempt_at": None, "parked_at": None, "last_error": ""}
    return _choose(rows).filter(_is_free(at)).update(**NO_LEASE | done | fields)


def park_rows(rows: QuerySet[Any], *, at: datetime, reason: str, **fields: Any) -> int:
    """Park rows when somebody other than their worker detects the failure. Return their number.

    Leased rows are unchanged.
    """
    parked = {"status": PARKED, "next_attempt_at": None, "parked_at": at, "last_error": reason[:ERROR_LENGTH]}
    return _choose(rows).filter(_is_free(at)).update(**NO_LEASE | parked | fields)


def _is_free(at: datetime) -> Q:
    return Q(lease_ends_at=None) | Q(lease_ends_at__lte=at)


def _choose(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Select by id.

    PostgreSQL then checks later filters again after it has locked a row for the update.
    """
    model: type[OutboxRow] = rows.model
    return model._base_manager.filter(pk__in=rows.order_by().values("pk"))
