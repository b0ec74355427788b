"""How work is handed to Celery: after the commit, and never at the request's expense."""

import structlog
from django.db import transaction
from django.utils.module_loading import import_string

log = structlog.get_logger(__name__)


def enqueue_on_commit(task: str, *ids: str) -> None:
    """Hand a task, given by its dotted path, its ids once the transaction is committed.

    A path, so that a service can ask for a task that itself calls the service.

    A broker that is away is logged and nothing more: the row that asks for the work is in the database,
    and the sweep finds it there.
    """

    def send() -> None:
        try:
            import_string(task).delay(*ids)
        except Exception as error:
            log.warning("enqueue_failed", task=task, ids=ids, error=type(error).__name__)

    transaction.on_commit(send)
