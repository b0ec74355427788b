"""Enqueue Celery tasks after the commit, without ever failing the request."""

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
    """Enqueue a task, given by its dotted path, with these ids once the transaction commits.

    A path and not the function, so that a service can enqueue a task that itself calls the service.

    An unavailable broker costs at most REDIS_TIMEOUT_SECONDS and is only logged: the row that needs the work
    is in the database, where the sweep finds it.
    """

    def send() -> None:
        try:
            _send(import_string(task), ids)
        except Exception as error:
            log.warning("enqueue_failed", task=task, ids=ids, error=type(error).__name__)

    transaction.on_commit(send)


def connect_broker() -> Connection:
    """Return a connection with short timeouts, for requests and checks.

    Celery's own connections have longer timeouts, because workers block on them for new tasks.
    """
    timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), settings.REDIS_TIMEOUT_SECONDS)
    broker: Connection = current_app.connection_for_write(
        connect_timeout=2, transport_options=timeouts if settings.REDIS_URL else None
    )
    return broker


def _send(task: Any, ids: tuple[str, ...]) -> None:
    redis_client = get_redis_client()
    if redis_client is None or current_app.conf.task_always_eager:
        task.delay(*ids)
        return
    with producers[connect_broker()].acquire(block=True, timeout=settings.REDIS_TIMEOUT_SECONDS) as producer:
        redis_client.call(lambda: task.apply_async(ids, producer=producer))
