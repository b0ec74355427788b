"""Registry of health checks: each service as it really answers.

`core` checks the database, the cache and the queue; apps register what else they depend on in `ready()`.
"""

from collections.abc import Callable

import structlog
from django.core.cache import cache
from django.db import connection

from core.queue.enqueue import connect_broker
from core.redis.client import get_redis_client

log = structlog.get_logger(__name__)


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_cache() -> None:
    """Redis itself first: the cache answers also while it does not."""
    if (link := get_redis_client()) is not None:
        link.ask(lambda redis: redis.ping(), insist=True)
    cache.set("health", "ok", 10)
    if cache.get("health") != "ok":
        raise RuntimeError("the cache forgot")


def _check_queue() -> None:
    with connect_broker() as broker:
        broker.ensure_connection(max_retries=0, timeout=2)


HEALTH_CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "cache": _check_cache,
    "queue": _check_queue,
}


def register_health_check(service: str, check: Callable[[], None]) -> None:
    """`check` raises when the service does not answer. It takes some three seconds at the most."""
    HEALTH_CHECKS[service] = check


def check_services() -> dict[str, str]:
    """`healthy` or `unhealthy` by service. Calls each of them, for some three seconds at the most."""
    found = {}
    for name, check in HEALTH_CHECKS.items():
        try:
            check()
            found[name] = "healthy"
        except Exception as error:
            log.warning("service_unhealthy", service=name, error=type(error).__name__)
            found[name] = "unhealthy"
    return found
