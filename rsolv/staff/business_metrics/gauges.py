"""The business figures as gauges: those of the last day that was taken, in one query."""

from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from rsolv.staff.business_metrics.models import DailyBusinessMetrics
from rsolv.staff.business_metrics.selectors import get_latest_business_metrics


def read_business_metrics() -> Iterable[Metric]:
    """Nothing before the first day; a ratio without anybody to ask about is left out."""
    figures = get_latest_business_metrics()
    return [] if figures is None else list(_tell(figures))


def _tell(figures: DailyBusinessMetrics) -> Iterator[Metric]:
    customers = GaugeMetricFamily("rsolv_business_customers", "Open accounts.", labels=["plan"])
    for plan in ("trial", "payg", "teams"):
        customers.add_metric([plan], getattr(figures, f"on_{plan}"))
    yield customers
    yield _gauge("payment_failed", "Running plans with a failed payment.", figures.payment_failed)
    yield _gauge("signups", "Signups of the last 30 days.", figures.signups)
    yield _gauge("recurring_revenue_cents", "A month's price of running plans.", figures.recurring_cents)
    yield _gauge("collected_cents", "Paid on invoices in the last 30 days.", figures.collected_cents)
    yield _gauge("taken_timestamp_seconds", "When the figures were taken.", figures.taken_at.timestamp())
    ratios = {
        "trial_conversion_ratio": ("Had a paid plan within 30 days of signing up.", figures.conversion),
        "activation_ratio": ("Stored a scan within 7 days of signing up.", figures.activation),
        "churn_ratio": ("Had a paid plan 30 days ago and have none now.", figures.churn),
    }
    for name, (text, ratio) in ratios.items():
        if ratio.value is not None:
            yield _gauge(name, text, ratio.value)
    if figures.first_scan_median_seconds is not None and figures.first_scan_p90_seconds is not None:
        text = "From signup to a first scan of the last 30 days."
        took = GaugeMetricFamily("rsolv_business_first_scan_seconds", text, labels=["quantile"])
        took.add_metric(["0.5"], figures.first_scan_median_seconds)
        took.add_metric(["0.9"], figures.first_scan_p90_seconds)
        yield took


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rsolv_business_{name}", text, value)
