"""The outbox: rows that a worker must process under a lease until they are done or parked for staff.

A model inherits `OutboxRow` and defines its `policy`. Its worker claims a row, does the work and writes one
outcome: `complete`, `reschedule`, `fail` or `park`. See docs/decisions/027-one-outbox.md.
"""

from .leases import claim, complete, describe, fail, held, park, release, reschedule
from .models import (
    PARKED,
    PENDING,
    OutboxRow,
    is_due,
    is_leased,
    is_waiting,
    outbox_constraints,
    outbox_indexes,
)
from .operators import close, park_rows, reopen, retry_now
from .policy import Policy
from .sweep import enqueue, list_outboxes, sweep

__all__ = [
    "PARKED",
    "PENDING",
    "OutboxRow",
    "Policy",
    "claim",
    "close",
    "complete",
    "describe",
    "enqueue",
    "fail",
    "held",
    "is_due",
    "is_leased",
    "is_waiting",
    "list_outboxes",
    "outbox_constraints",
    "outbox_indexes",
    "park",
    "park_rows",
    "release",
    "reopen",
    "reschedule",
    "retry_now",
    "sweep",
]
