"""Registry of health checks. Each check calls its service.

`core` checks database, cache and queue. Apps register what else they depend on in `ready()`.
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
    """Check Redis itself first: the cache falls back to process memory and so works without it."""
    if (redis_client := get_redis_client()) is not None:
        redis_client.execute(lambda redis: redis.ping(), force=True)
    cache.set("health", "ok", 10)
    if cache.get("health") != "ok":
        raise RuntimeError("the cache did not return the value just written")


def _check_queue() -> None:
    with connect_broker() as broker:
        broker.ensure_connection(max_retries=0, timeout=2)


HEALTH_CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "cache": _check_cache,
    "queue": _check_queue,
}


def register_health_check(service: str, check: Callable[[], None]) -> None:
    """Register a check, which raises if the service is unavailable. It must return within 3 seconds."""
    HEALTH_CHECKS[service] = check


def check_services() -> dict[str, str]:
    """Return `healthy` or `unhealthy` for each service. Calls them all, one after another.

    Each check has a timeout of about three seconds.
    """
    found = {}
    for name, check in HEALTH_CHECKS.items():
        try:
            check()
            found[name] = "healthy"
        except Exception as error:
            log.warning("service_unhealthy", service=name, error=type(error).__name__)
            found[name] = "unhealthy"
    return found
