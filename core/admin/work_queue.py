"""Registry of the work queue: rows that wait for a person. Each app registers its own in `ready()`.

The front page of the staff admin lists them, the most urgent first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, Min, Model, Q
from django.urls import reverse
from django.utils.http import urlencode

from core.outbox.models import PARKED, OutboxRow


class Tone(StrEnum):
    """How an entry is shown: urgent work costs a customer or us money while it waits."""

    URGENT = "danger"
    NORMAL = "warning"
    NOTE = "info"


@dataclass(frozen=True)
class WorkQueueEntry:
    """Rows of one model that wait for a person.

    `condition` selects them, `since` is the column with the time from which they wait, and `filters` is the
    query of the address at which the model's admin list shows exactly these rows.
    """

    label: str
    model: type[Model]
    condition: Q
    since: str
    filters: Mapping[str, str] = field(hash=False)
    tone: Tone = Tone.NORMAL


@dataclass(frozen=True)
class Work:
    """An entry with its rows counted. `count` is at least 1."""

    label: str
    count: int
    oldest_at: datetime | None
    url: str
    tone: Tone


_entries: list[WorkQueueEntry] = []


def register_work(*entries: WorkQueueEntry) -> None:
    """Add entries. Their order is kept among those of one tone."""
    _entries.extend(entry for entry in entries if entry not in _entries)


def list_entries() -> list[WorkQueueEntry]:
    """Every registered entry, the most urgent first."""
    return sorted(_entries, key=lambda entry: list(Tone).index(entry.tone))


def list_work(*, may_view: Callable[[type[Model]], bool]) -> list[Work]:
    """Return what waits, counted in one query for each entry whose model the person may view."""
    counted = (_count(entry) for entry in list_entries() if may_view(entry.model))
    return [work for work in counted if work.count]


def _count(entry: WorkQueueEntry) -> Work:
    rows = entry.model._default_manager.filter(entry.condition)
    found = rows.aggregate(count=Count("pk"), oldest_at=Min(entry.since))
    address = reverse(f"admin:{entry.model._meta.app_label}_{entry.model._meta.model_name}_changelist")
    return Work(
        label=entry.label, url=f"{address}?{urlencode(dict(entry.filters))}", tone=entry.tone, **found
    )


def parked_rows(label: str, model: type[OutboxRow], *, tone: Tone = Tone.NORMAL) -> WorkQueueEntry:
    """Create the entry of an outbox model's parked rows. Its admin page has `OutboxFilter`."""
    options: dict[str, Any] = {"condition": Q(status=PARKED), "filters": {"progress": "parked"}}
    return WorkQueueEntry(label, model, since="parked_at", tone=tone, **options)
