"""An operator's push after an outage: what waits for a later attempt is due at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from billing.models import BillingAccount, InboxEvent, UsageReport


@dataclass(frozen=True)
class Backlog:
    """What is not done yet, of all customers. `refused` are the reports and events that wait for staff."""

    reports: int
    events: int
    plans: int
    refused: int

    @property
    def total(self) -> int:
        return self.reports + self.events + self.plans + self.refused


def count_backlog() -> Backlog:
    """How much waits, due or not."""
    reports, events, plans = _list_waiting()
    rejected = UsageReport.objects.filter(status=UsageReport.Status.REJECTED)
    given_up = InboxEvent.objects.filter(processed_at=None, next_attempt_at=None)
    return Backlog(
        reports=reports.count(),
        events=events.count(),
        plans=plans.count(),
        refused=rejected.count() + given_up.count(),
    )


def retry_now(*, at: datetime) -> Backlog:
    """Make what waits for a later attempt due at once; the sweep hands it out. What waits for staff stays.

    Also what a worker holds at the moment, which is harmless: a second attempt of the same is the same.
    """
    for waiting in _list_waiting():
        waiting.filter(next_attempt_at__gt=at).update(next_attempt_at=at)
    return count_backlog()


def _list_waiting() -> tuple[QuerySet[Any], QuerySet[Any], QuerySet[Any]]:
    return (
        UsageReport.objects.filter(status=UsageReport.Status.PENDING),
        InboxEvent.objects.filter(processed_at=None, next_attempt_at__isnull=False),
        BillingAccount.objects.filter(status=BillingAccount.Status.PENDING),
    )
