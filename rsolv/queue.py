"""How work is handed to Celery: after the commit, and never at the request's expense."""

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)


def enqueue_on_commit(task: str, *ids: str) -> None:
    """Hand the task of this name its ids once the transaction is committed.

    A name, so that a service can ask for a task that itself calls the service.

    A broker that is away is logged and nothing more: the row that asks for the work is in the database,
    and the sweep finds it there.
    """

    def send() -> None:
        try:
            current_app.tasks[task].delay(*ids)
        except Exception as error:
            log.warning("enqueue_failed", task=task, ids=ids, error=type(error).__name__)

    transaction.on_commit(send)
