"""Retry at once what waits for a later attempt, after an outage."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import CorrectionReport, InboxEvent, Notification, SubscriptionRequest, UsageReport
from core import outbox

OUTBOXES: dict[str, type[outbox.OutboxRow]] = {
    "reports": UsageReport,
    "corrections": CorrectionReport,
    "events": InboxEvent,
    "plans": SubscriptionRequest,
    "notifications": Notification,
}


@dataclass(frozen=True)
class Backlog:
    """What is not done yet, of all customers. `refused` is what waits for staff, of whatever kind."""

    reports: int
    corrections: int
    events: int
    plans: int
    notifications: int
    refused: int


def count_backlog() -> Backlog:
    """How much waits, due or not."""
    rows = {kind: model._default_manager.all() for kind, model in OUTBOXES.items()}
    waiting = {kind: each.filter(status=outbox.PENDING).count() for kind, each in rows.items()}
    return Backlog(
        **waiting, refused=sum(each.filter(status=outbox.PARKED).count() for each in rows.values())
    )


def retry_now(*, at: datetime, with_parked: bool = False) -> Backlog:
    """Make what waits for a later attempt due at once; the sweep enqueues it.

    What a worker has stays with it; what waits for staff stays too, unless `with_parked`.
    """
    for model in OUTBOXES.values():
        rows = model._default_manager.all()
        outbox.retry_now(rows if with_parked else rows.filter(status=outbox.PENDING), at=at)
    return count_backlog()
