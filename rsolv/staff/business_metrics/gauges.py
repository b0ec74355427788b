"""The business metrics as Prometheus gauges: the latest stored day, in one query."""

from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.selectors import get_latest_business_metrics


def read_business_metrics() -> Iterable[Metric]:
    """Return no metrics before the first day is stored. A ratio without a value is left out."""
    metrics = get_latest_business_metrics()
    return [] if metrics is None else list(_build_gauges(metrics))


def _build_gauges(metrics: DailyBusinessMetrics) -> Iterator[Metric]:
    customers = GaugeMetricFamily("rsolv_business_customers", "Open accounts.", labels=["plan"])
    for plan in ("trial", "payg", "teams"):
        customers.add_metric([plan], getattr(metrics, f"on_{plan}"))
    yield customers
    yield _gauge("payment_failed", "Running plans with a failed payment.", metrics.payment_failed)
    yield _gauge("signups", "Signups of the last 30 days.", metrics.signups)
    yield _gauge("recurring_revenue_cents", "A month's price of running plans.", metrics.recurring_cents)
    yield _gauge("collected_cents", "Paid on invoices in the last 30 days.", metrics.collected_cents)
    yield _gauge("taken_timestamp_seconds", "When the metrics were computed.", metrics.taken_at.timestamp())
    ratios = {
        "trial_conversion_ratio": ("Had a paid plan within 30 days of signing up.", metrics.conversion),
        "activation_ratio": ("Stored a scan within 7 days of signing up.", metrics.activation),
        "churn_ratio": ("Had a paid plan 30 days ago and have none now.", metrics.churn),
    }
    for name, (text, ratio) in ratios.items():
        if ratio.value is not None:
            yield _gauge(name, text, ratio.value)
    if metrics.first_scan_median_seconds is not None and metrics.first_scan_p90_seconds is not None:
        text = "From signup to a first scan of the last 30 days."
        took = GaugeMetricFamily("rsolv_business_first_scan_seconds", text, labels=["quantile"])
        took.add_metric(["0.5"], metrics.first_scan_median_seconds)
        took.add_metric(["0.9"], metrics.first_scan_p90_seconds)
        yield took


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rsolv_business_{name}", text, value)
