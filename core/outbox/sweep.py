"""Enqueue due rows again, so that losing the queue loses no work."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.apps import apps

from core.queue.enqueue import enqueue_on_commit

from .models import OutboxRow

log = structlog.get_logger(__name__)

BATCH = 1000


def list_outboxes(app_label: str | None = None) -> list[type[OutboxRow]]:
    """Return the outbox tables of all apps, or of one app."""
    models = apps.get_app_config(app_label).get_models() if app_label else apps.get_models()
    return [model for model in models if issubclass(model, OutboxRow)]


def enqueue(row: OutboxRow) -> None:
    """Enqueue the row's task on commit."""
    enqueue_on_commit(row.policy.task, str(row.pk))


def sweep(outboxes: Iterable[type[OutboxRow]], *, at: datetime) -> int:
    """Enqueue up to 1000 due rows of each table, expired leases included. Return their number.

    One query per table, answered by its partial index. Enqueuing a row twice is harmless: only one worker can
    claim it.
    """
    count = 0
    for model in outboxes:
        due = model.list_due(at).order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH]
        for pk in due:
            enqueue_on_commit(model.policy.task, str(pk))
        count += len(due)
    if count:
        log.info("outbox_swept", count=count)
    return count
