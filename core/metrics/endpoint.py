"""Render the page that Prometheus reads."""

from collections.abc import Iterable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Metric,
    disable_created_metrics,
    generate_latest,
)

from core.metrics.processes import find_folder, read_processes

__all__ = ["CONTENT_TYPE_LATEST", "write_page"]

disable_created_metrics()  # they double the number of series and nobody reads them


class _StaticCollector:
    """A registry's collector that returns metrics which have already been read."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def write_page(gauges: Iterable[Metric] = ()) -> bytes:
    """Return the counters of all processes of this machine and these gauges, in Prometheus's text format.

    The gauges are read first, so that this page already counts a collector that failed.
    """
    registry = CollectorRegistry()
    registry.register(_StaticCollector(gauges))
    folder = find_folder()
    registry.register(_StaticCollector(REGISTRY.collect() if folder is None else read_processes(folder)))
    return generate_latest(registry)
