"""Gauges of unfinished signups and unsent mail, read at each scrape."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from .models import OutgoingMail, ProvisioningEvent


def read_provisioning() -> Iterator[Metric]:
    """Make two queries, each answered by a partial index of open rows. Mails of later days are not due."""
    now = timezone.now()
    due = ProvisioningEvent.objects.filter(
        status=ProvisioningEvent.Status.PENDING, due_at__lte=now
    ).aggregate(count=Count("pk"), oldest=Min("due_at"))
    age = (now - due["oldest"]).total_seconds() if due["oldest"] else 0
    unsent = OutgoingMail.objects.filter(status=OutgoingMail.Status.PENDING).count()
    yield _gauge("unfinished", "Provisioning steps that are due and not done.", due["count"])
    yield _gauge("oldest_unfinished_seconds", "How long the oldest of them has been due.", age)
    yield _gauge("mail_unsent", "Mails with codes and links that have not been sent.", unsent)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rsolv_provisioning_{name}", text, value)
