"""The names under which the code's metrics are scraped."""

from itertools import chain

from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone
from prometheus_client import REGISTRY

import rsolv.urls  # noqa: F401 - with every view the services that count
from billing.models import Reconciliation
from core.metrics.collectors import read_gauges
from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.services import take_business_metrics

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def list_metric_names() -> set[str]:
    """What is counted, and what is read from database and queue. Some of it is there once a row is."""
    Reconciliation.objects.create(finished_at=timezone.now())
    take_business_metrics(at=timezone.now())
    DailyBusinessMetrics.objects.update(
        convertible=1, activatable=1, churnable=1, first_scan_median_seconds=1, first_scan_p90_seconds=1
    )
    WSGIHandler()  # with its middleware
    found = chain(REGISTRY.collect(), read_gauges())
    return {f"{metric.name}{suffix}" for metric in found for suffix in SUFFIXES.get(metric.type, ("",))}
