"""Metrics of the outbox. No row and no customer is a label."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import Counter, Metric
from prometheus_client.core import GaugeMetricFamily

from .models import OPEN, PARKED, OutboxRow, is_due, is_leased, is_waiting

OUTBOX_PARKED = Counter(
    "rsolv_outbox_parked",
    "Rows parked for staff: after their last attempt or a rejection (given_up), or "
    "because every worker that leased them died (lost_leases).",
    ["table", "reason"],
)


def read_outboxes(outboxes: Iterable[type[OutboxRow]]) -> Iterator[Metric]:
    """Read the number of rows and the age of the oldest, per table and state. One query per table.

    A row that is scheduled for later has no age.
    """
    now = timezone.now()
    depth = GaugeMetricFamily("rsolv_outbox_rows", "Rows that are not done.", labels=["table", "state"])
    age = GaugeMetricFamily(
        "rsolv_outbox_oldest_seconds",
        "For how long the oldest row has been due, leased or parked.",
        labels=["table", "state"],
    )
    for model in outboxes:
        table = model._meta.db_table
        found = _measure(model, now)
        for state in ("due", "waiting", "leased", "parked"):
            depth.add_metric([table, state], found[state])
        since = {
            "due": found["due_since"],
            "leased": found["lease_ends_at"] and found["lease_ends_at"] - settings.OUTBOX_LEASE,
            "parked": found["parked_at"],
        }
        for state, start in since.items():
            age.add_metric([table, state], max(0.0, (now - start).total_seconds()) if start else 0)
    yield depth
    yield age


def _measure(model: type[OutboxRow], now: datetime) -> dict[str, Any]:
    return model._base_manager.filter(status__in=OPEN).aggregate(
        due=Count("pk", filter=is_due(now)),
        due_since=Min("next_attempt_at", filter=is_due(now)),
        waiting=Count("pk", filter=is_waiting(now)),
        leased=Count("pk", filter=is_leased(now)),
        lease_ends_at=Min("lease_ends_at", filter=is_leased(now)),
        parked=Count("pk", filter=Q(status=PARKED)),
        parked_at=Min("parked_at", filter=Q(status=PARKED)),
    )
