"""The page that Prometheus reads."""

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

disable_created_metrics()  # a second series for each, which nobody reads


class _Found:
    """Metrics as a registry wants them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def write_page(gauges: Iterable[Metric] = ()) -> bytes:
    """What all processes of this machine have counted, and these gauges.

    The gauges are read first, so that one that cannot be read is counted on this very page.
    """
    registry = CollectorRegistry()
    registry.register(_Found(gauges))
    folder = find_folder()
    registry.register(_Found(REGISTRY.collect() if folder is None else read_processes(folder)))
    return generate_latest(registry)
