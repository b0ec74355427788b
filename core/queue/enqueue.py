"""How work is handed to Celery: after the commit, and never at the request's expense."""

from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from kombu import Connection
from kombu.pools import producers

from core.redis.client import get_redis_client

log = structlog.get_logger(__name__)


def enqueue_on_commit(task: str, *ids: str) -> None:
    """Hand a task, given by its dotted path, its ids once the transaction is committed.

    A path, so that a service can ask for a task that itself calls the service.

    A broker that is unavailable costs REDIS_TIMEOUT_SECONDS at most and is logged, nothing more: the row that
    asks for the work is in the database, and the sweep finds it there.
    """

    def send() -> None:
        try:
            _send(import_string(task), ids)
        except Exception as error:
            log.warning("enqueue_failed", task=task, ids=ids, error=type(error).__name__)

    transaction.on_commit(send)


def connect_broker() -> Connection:
    """A connection for who cannot wait. A worker's own waits for work, and so has longer timeouts."""
    timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), settings.REDIS_TIMEOUT_SECONDS)
    broker: Connection = current_app.connection_for_write(
        connect_timeout=2, transport_options=timeouts if settings.REDIS_URL else None
    )
    return broker


def _send(task: Any, ids: tuple[str, ...]) -> None:
    link = get_redis_client()
    if link is None or current_app.conf.task_always_eager:
        task.delay(*ids)
        return
    with producers[connect_broker()].acquire(block=True, timeout=settings.REDIS_TIMEOUT_SECONDS) as producer:
        link.attempt(lambda: task.apply_async(ids, producer=producer))
