"""Registry of metric collectors: gauges read from database, queue and services at each scrape."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from prometheus_client import Counter, Metric
from prometheus_client.core import GaugeMetricFamily

from core.health import check_services

log = structlog.get_logger(__name__)

# A scrape of a busy database must give up before Prometheus's own timeout.
STATEMENT_SECONDS = 2.0


@dataclass(frozen=True)
class Collector:
    """A function that reads gauges. It is not called while `service` is unavailable."""

    service: str
    read: Callable[[], Iterable[Metric]]


COLLECTORS: dict[str, Collector] = {}


def register_collector(name: str, read: Callable[[], Iterable[Metric]], *, service: str = "database") -> None:
    """Have every scrape call `read`. Apps call this in `ready()`. A repeated name replaces its collector.

    A collector that reads the database makes a fixed number of queries, each answered by an index.
    """
    COLLECTORS[name] = Collector(service, read)


COLLECT_ERRORS = Counter("rsolv_metrics_collect_errors", "Collectors that failed.", ["collector"])


def read_gauges() -> Iterator[Metric]:
    """Yield the gauges of all collectors. One that fails is counted and skipped."""
    found = check_services()
    up = GaugeMetricFamily(
        "rsolv_service_up", "Whether a service answers, as the health check finds it.", labels=["service"]
    )
    for service, state in found.items():
        up.add_metric([service], float(state == "healthy"))
    yield up
    for name, collector in COLLECTORS.items():
        yield from _read_safely(name, collector, is_up=found[collector.service] == "healthy")


def _read_safely(name: str, collector: Collector, *, is_up: bool) -> Iterable[Metric]:
    errors = COLLECT_ERRORS.labels(name)  # creates the series, so that it is 0 before the first failure
    try:
        if is_up:
            return _read_bounded(collector) if collector.service == "database" else list(collector.read())
        errors.inc()
    except Exception as error:
        errors.inc()
        log.warning("metrics_reading_failed", collector=name, error=type(error).__name__)
    return ()


@transaction.atomic
def _read_bounded(collector: Collector) -> Iterable[Metric]:
    """Read in a transaction of its own, in which PostgreSQL cancels statements that take too long."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {round(STATEMENT_SECONDS * 1000)}")
    return list(collector.read())
