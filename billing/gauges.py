"""What waits in billing, read when somebody asks. No customer is a label."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from core.outbox import PARKED, PENDING

from .models import Discrepancy, InboxEvent, Notification, Reconciliation, UsageReport


def read_billing() -> Iterator[Metric]:
    """Six queries, each answered by a partial index of what waits, or by a small table."""
    yield from _read_usage()
    yield from _read_webhooks()
    unsent = Notification.objects.filter(status=Notification.Status.PENDING).count()
    yield _gauge("notifications_unsent", "Mails about money that are still to be sent.", unsent)
    differences = Discrepancy.objects.filter(state=Discrepancy.State.OPEN).count()
    yield _gauge("reconciliation_open_differences", "Differences that nobody has settled.", differences)
    if last := Reconciliation.objects.aggregate(at=Max("finished_at"))["at"]:
        text = "When ledger, Stripe and portal were last compared."
        yield _gauge("reconciliation_last_run_timestamp_seconds", text, last.timestamp())


def _read_usage() -> Iterator[Metric]:
    reports = UsageReport.objects
    pending = reports.filter(status=UsageReport.Status.PENDING).aggregate(
        count=Count("pk"), oldest=Min("usage__created_at")
    )
    parked = reports.filter(status=UsageReport.Status.PARKED).count()
    yield _gauge("usage_unreported", "Fixes that Stripe is still to be told of.", pending["count"])
    text = "Age of the oldest fix that Stripe is still to be told of."
    yield _gauge("usage_oldest_unreported_seconds", text, _measure_age(pending["oldest"]))
    yield _gauge(
        "usage_rejected", "Reports that Stripe rejected or that were given up; they wait for staff.", parked
    )


def _read_webhooks() -> Iterator[Metric]:
    is_pending, is_parked = (Q(status=each) for each in (PENDING, PARKED))
    waiting = InboxEvent.objects.filter(is_pending | is_parked).aggregate(
        unprocessed=Count("pk", filter=is_pending),
        failed=Count("pk", filter=is_parked),
        oldest=Min("received_at", filter=is_pending),
    )
    yield _gauge("webhooks_unprocessed", "Webhooks that are still to be acted on.", waiting["unprocessed"])
    yield _gauge("webhooks_failed", "Webhooks given up; they wait for staff.", waiting["failed"])
    text = "Age of the oldest webhook that is still to be acted on."
    yield _gauge("webhooks_oldest_unprocessed_seconds", text, _measure_age(waiting["oldest"]))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rsolv_billing_{name}", text, value)


def _measure_age(instant: datetime | None) -> float:
    """In seconds; 0 where there is nothing."""
    return 0 if instant is None else max(0.0, (timezone.now() - instant).total_seconds())
