"""Gauges of billing's backlog, read from the database at scrape time. No label identifies a customer."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from core.outbox.models import PARKED, PENDING

from .models import Discrepancy, InboxEvent, Notification, Reconciliation, UsageReport


def read_billing() -> Iterator[Metric]:
    """Yield the gauges in six queries, each on a partial index of pending rows or on a small table."""
    yield from _read_usage()
    yield from _read_webhooks()
    unsent = Notification.objects.filter(status=Notification.Status.PENDING).count()
    yield _gauge("notifications_unsent", "Billing notifications that have not been mailed yet.", unsent)
    differences = Discrepancy.objects.filter(state=Discrepancy.State.OPEN).count()
    yield _gauge("reconciliation_open_differences", "Discrepancies that are still open.", differences)
    if last := Reconciliation.objects.aggregate(at=Max("finished_at"))["at"]:
        text = "When a reconciliation of ledger, Stripe and portal last finished."
        yield _gauge("reconciliation_last_run_timestamp_seconds", text, last.timestamp())


def _read_usage() -> Iterator[Metric]:
    reports = UsageReport.objects
    pending = reports.filter(status=UsageReport.Status.PENDING).aggregate(
        count=Count("pk"), oldest=Min("usage__created_at")
    )
    parked = reports.filter(status=UsageReport.Status.PARKED).count()
    yield _gauge("usage_unreported", "Metered fixes not reported to Stripe yet.", pending["count"])
    text = "Age of the oldest metered fix not reported to Stripe yet."
    yield _gauge("usage_oldest_unreported_seconds", text, _measure_age(pending["oldest"]))
    yield _gauge(
        "usage_rejected", "Usage reports that are parked for staff: rejected by Stripe, or given up.", parked
    )


def _read_webhooks() -> Iterator[Metric]:
    is_pending, is_parked = (Q(status=each) for each in (PENDING, PARKED))
    waiting = InboxEvent.objects.filter(is_pending | is_parked).aggregate(
        unprocessed=Count("pk", filter=is_pending),
        failed=Count("pk", filter=is_parked),
        oldest=Min("received_at", filter=is_pending),
    )
    yield _gauge("webhooks_unprocessed", "Webhooks not processed yet.", waiting["unprocessed"])
    yield _gauge("webhooks_failed", "Webhooks that are parked for staff.", waiting["failed"])
    text = "Age of the oldest webhook not processed yet."
    yield _gauge("webhooks_oldest_unprocessed_seconds", text, _measure_age(waiting["oldest"]))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rsolv_billing_{name}", text, value)


def _measure_age(time: datetime | None) -> float:
    """Return the age in seconds, or 0 for None."""
    return 0 if time is None else max(0.0, (timezone.now() - time).total_seconds())
