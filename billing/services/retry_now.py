"""Retry billing's outbox rows immediately, after an outage."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import CorrectionReport, InboxEvent, Notification, SubscriptionRequest, UsageReport
from core.outbox import operators
from core.outbox.models import PARKED, PENDING, OutboxRow

OUTBOXES: dict[str, type[OutboxRow]] = {
    "reports": UsageReport,
    "corrections": CorrectionReport,
    "events": InboxEvent,
    "plans": SubscriptionRequest,
    "notifications": Notification,
}


@dataclass(frozen=True)
class Backlog:
    """Outbox rows of all customers that are not done. `rejected` counts the parked rows of every kind."""

    reports: int
    corrections: int
    events: int
    plans: int
    notifications: int
    rejected: int


def count_backlog() -> Backlog:
    """Count the pending rows of each kind, due or not, and all parked rows."""
    rows = {kind: model._default_manager.all() for kind, model in OUTBOXES.items()}
    waiting = {kind: each.filter(status=PENDING).count() for kind, each in rows.items()}
    return Backlog(**waiting, rejected=sum(each.filter(status=PARKED).count() for each in rows.values()))


def retry_now(*, at: datetime, with_parked: bool = False) -> Backlog:
    """Make pending rows due immediately and return the backlog; the next sweep enqueues them.

    Rows that a worker has leased are left alone: cutting a lease short would send a request twice. Parked
    rows are included only with `with_parked`. Commits; makes no Stripe call; safe to repeat.
    """
    for model in OUTBOXES.values():
        rows = model._default_manager.all()
        operators.retry_now(rows if with_parked else rows.filter(status=PENDING), at=at)
    return count_backlog()
