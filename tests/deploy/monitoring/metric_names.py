"""The names of all metrics that the code exports."""

from itertools import chain

from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone
from prometheus_client import REGISTRY

import rsolv.urls  # noqa: F401 - imports all views and services, which define the metrics
from billing.models import Reconciliation
from core.metrics.collectors import read_gauges
from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.services import take_business_metrics

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def list_metric_names() -> set[str]:
    """Return the names of all counters, histograms and gauges. Creates the rows that some gauges need."""
    Reconciliation.objects.create(finished_at=timezone.now())
    take_business_metrics(at=timezone.now())
    DailyBusinessMetrics.objects.update(
        convertible=1, activatable=1, churnable=1, first_scan_median_seconds=1, first_scan_p90_seconds=1
    )
    WSGIHandler()  # loads the middleware
    found = chain(REGISTRY.collect(), read_gauges())
    return {f"{metric.name}{suffix}" for metric in found for suffix in SUFFIXES.get(metric.type, ("",))}
