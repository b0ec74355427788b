"""An operator's push after an outage: what waits for a later attempt is due at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from billing.models import BillingAccount, CorrectionReport, InboxEvent, Notice, UsageReport


@dataclass(frozen=True)
class Backlog:
    """What is not done yet, of all customers. `refused` is what waits for staff, of whatever kind."""

    reports: int
    corrections: int
    events: int
    plans: int
    notices: int
    refused: int


def count_backlog() -> Backlog:
    """How much waits, due or not."""
    waiting = {kind: rows.count() for kind, rows in _list_waiting().items()}
    for_staff = (
        UsageReport.objects.filter(status=UsageReport.Status.REJECTED),
        CorrectionReport.objects.filter(status=CorrectionReport.Status.REJECTED),
        InboxEvent.objects.filter(processed_at=None, next_attempt_at=None),
        Notice.objects.filter(mailed_at=None, next_attempt_at=None),
    )
    return Backlog(**waiting, refused=sum(rows.count() for rows in for_staff))


def retry_now(*, at: datetime) -> Backlog:
    """Make what waits for a later attempt due at once; the sweep hands it out. What waits for staff stays.

    Also what a worker holds at the moment, which is harmless: a second attempt of the same is the same.
    """
    for waiting in _list_waiting().values():
        waiting.filter(next_attempt_at__gt=at).update(next_attempt_at=at)
    return count_backlog()


def _list_waiting() -> dict[str, QuerySet[Any]]:
    return {
        "reports": UsageReport.objects.filter(status=UsageReport.Status.PENDING),
        "corrections": CorrectionReport.objects.filter(status=CorrectionReport.Status.PENDING),
        "events": InboxEvent.objects.filter(processed_at=None, next_attempt_at__isnull=False),
        "plans": BillingAccount.objects.filter(status=BillingAccount.Status.PENDING),
        "notices": Notice.objects.filter(mailed_at=None, next_attempt_at__isnull=False),
    }
