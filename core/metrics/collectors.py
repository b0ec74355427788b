"""What is not counted but read at each scrape: how the services are, and what waits in database and queue."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from prometheus_client import Counter, Metric
from prometheus_client.core import GaugeMetricFamily

from billing.gauges import read_billing
from core.api.health import check_services
from core.metrics.queue import read_oldest_due, read_queue
from core.outbox import list_outboxes
from core.outbox.metrics import read_outboxes
from phases.gauges import read_storage_gauges
from provisioning.gauges import read_provisioning
from rsolv.staff.business_metrics.gauges import read_figures

log = structlog.get_logger(__name__)

# A scrape that asks too much of a busy database gives up before Prometheus does.
STATEMENT_SECONDS = 2.0


@dataclass(frozen=True)
class Reading:
    """Gauges, and the service that is asked for them; where it is away they are not tried."""

    service: str
    read: Callable[[], Iterable[Metric]]


# Those of the database have a fixed number of queries each, which an index answers.
READINGS = {
    "billing": Reading("database", read_billing),
    "provisioning": Reading("database", read_provisioning),
    "storage": Reading("database", read_storage_gauges),
    "outbox": Reading("database", lambda: read_outboxes(list_outboxes())),
    "due": Reading("database", read_oldest_due),
    "figures": Reading("database", read_figures),
    "queue": Reading("queue", read_queue),
}
COLLECT_ERRORS = Counter("rsolv_metrics_collect_errors", "Readings that failed.", ["collector"])


def read_gauges() -> Iterator[Metric]:
    """All of them, except what cannot be read now: that is counted, and the rest is told all the same."""
    found = check_services()
    up = GaugeMetricFamily(
        "rsolv_service_up", "Whether a service answers, as the health check finds it.", labels=["service"]
    )
    for service, state in found.items():
        up.add_metric([service], float(state == "healthy"))
    yield up
    for name, reading in READINGS.items():
        yield from _read_safely(name, reading, is_up=found[reading.service] == "healthy")


def _read_safely(name: str, reading: Reading, *, is_up: bool) -> Iterable[Metric]:
    errors = COLLECT_ERRORS.labels(name)  # told as 0 from the first scrape on
    try:
        if is_up:
            return _read_bounded(reading) if reading.service == "database" else list(reading.read())
        errors.inc()
    except Exception as error:
        errors.inc()
        log.warning("metrics_reading_failed", collector=name, error=type(error).__name__)
    return ()


@transaction.atomic
def _read_bounded(reading: Reading) -> Iterable[Metric]:
    """In a transaction of its own, in which PostgreSQL ends what takes too long."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {round(STATEMENT_SECONDS * 1000)}")
    return list(reading.read())
