"""Gauges of stored bytes, read at each scrape. No customer is a label, to bound the number of series."""

from collections.abc import Iterator

from django.db.models import Count, F, Q, Sum
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from phases.selectors.storage import annotate_storage

from .models import StorageUse


def read_storage_gauges() -> Iterator[Metric]:
    """Sum the storage of all customers. One query over one small row per customer."""
    rows = annotate_storage(StorageUse.objects.order_by(), customer="customer_id")
    is_nearly_full = Q(stored_bytes__gte=F("storage_limit") * 9 / 10)
    found = rows.aggregate(stored=Sum("stored_bytes"), nearly_full=Count("pk", filter=is_nearly_full))
    yield _gauge("stored_bytes", "Bytes that customers' results take.", found["stored"] or 0)
    text = "Customers that store nine tenths of what they may, or more."
    yield _gauge("storage_nearly_full", text, found["nearly_full"])


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rsolv_phases_{name}", text, value)
