"""Whatever is due is enqueued again, so that a lost queue loses nothing."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.apps import apps

from core.queue.enqueue import enqueue_on_commit

from .models import OutboxRow

log = structlog.get_logger(__name__)

BATCH = 1000


def list_outboxes(app_label: str | None = None) -> list[type[OutboxRow]]:
    """Every table of the outbox, or those of one app."""
    models = apps.get_app_config(app_label).get_models() if app_label else apps.get_models()
    return [model for model in models if issubclass(model, OutboxRow)]


def enqueue(row: OutboxRow) -> None:
    """Ask for a row's task on commit."""
    enqueue_on_commit(row.policy.task, str(row.pk))


def sweep(outboxes: Iterable[type[OutboxRow]], *, at: datetime) -> int:
    """Enqueue what is due, its lease run out or not yet taken, up to 1000 rows of each table; how many.

    One query a table, answered by its partial index. Enqueuing a row twice is harmless: one worker claims it.
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
