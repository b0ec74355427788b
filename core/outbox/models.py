"""The columns, indexes and constraints of an outbox row."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .policy import Policy

# The two statuses that every table has. Each table defines its own statuses for done rows.
PENDING, PARKED = "pending", "parked"
OPEN = (PENDING, PARKED)


class OutboxRow(models.Model):
    """A row that a worker must process. The model defines `status` with its own choices, and `policy`.

    `next_attempt_at` is set while the row is pending: when a worker may claim it, or the end of the running
    lease. `attempts` counts claims and is never reset, so that idempotency keys can derive from it.
    `failures` and `lost_leases` are reset when staff retry a parked row.
    """

    policy: ClassVar[Policy]

    status = models.CharField(max_length=10, default=PENDING)
    attempts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0, editable=False)
    lost_leases = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Leases in a row that ended without an outcome."
    )
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    lease_owner = models.UUIDField(null=True, blank=True, editable=False)
    lease_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    parked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True

    @classmethod
    def list_due(cls, at: datetime) -> models.QuerySet[Self]:
        """Return the rows that the sweep should enqueue now. A model may exclude some."""
        return cls._default_manager.filter(is_due(at))

    def count_parked(self) -> None:
        """Count a parked row in the table's own metrics, if it has any."""


def is_due(at: datetime) -> Q:
    """Match rows that may be claimed: their time has come, and no lease is running."""
    return Q(status=PENDING, next_attempt_at__lte=at)


def is_leased(at: datetime) -> Q:
    """Match rows on which a worker holds a running lease."""
    return Q(status=PENDING, lease_ends_at__gt=at)


def is_waiting(at: datetime) -> Q:
    """Match rows that are scheduled for later and that no worker holds."""
    return Q(status=PENDING, next_attempt_at__gt=at, lease_owner=None)


def outbox_indexes(name: str) -> tuple[models.Index, ...]:
    """Return a partial index of all open rows, for the sweep, the gauges and the admin's filter."""
    return (
        models.Index(fields=("status", "next_attempt_at"), condition=Q(status__in=OPEN), name=f"{name}_open"),
    )


def outbox_constraints(name: str) -> tuple[models.CheckConstraint, ...]:
    """Return constraints that hold whoever writes: times match the status, and no lease is cut short."""
    is_done = ~Q(status__in=OPEN)
    return (
        models.CheckConstraint(
            condition=Q(status=PENDING, next_attempt_at__isnull=False, parked_at=None)
            | Q(status=PARKED, next_attempt_at=None, parked_at__isnull=False)
            | (is_done & Q(next_attempt_at=None, parked_at=None)),
            name=f"{name}_time_fits_status",
        ),
        models.CheckConstraint(
            condition=Q(lease_owner=None, lease_ends_at=None)
            | Q(
                status=PENDING,
                lease_owner__isnull=False,
                lease_ends_at__isnull=False,
                next_attempt_at__gte=F("lease_ends_at"),
            ),
            name=f"{name}_lease_is_kept",
        ),
    )
