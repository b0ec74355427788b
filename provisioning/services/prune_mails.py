"""Sent mails are forgotten, with the addresses they went to."""

from datetime import datetime, timedelta

from django.conf import settings

from core import outbox
from provisioning.models import OutgoingMail

from .send_mail import EMPTIED, GIVEN_UP_AFTER

BATCH = 1000
Status = OutgoingMail.Status


def prune_mails(*, at: datetime) -> int:
    """Delete mails that were sent or given up MAIL_RETENTION_DAYS ago, in batches; how many.

    A parked mail whose code or link has expired is emptied and given up before. Repeating it is safe.
    """
    parked = OutgoingMail.objects.filter(status=Status.PARKED, created_at__lt=at - GIVEN_UP_AFTER)
    outbox.close(parked, at=at, status=Status.EXPIRED, **EMPTIED)
    before = at - timedelta(days=settings.MAIL_RETENTION_DAYS)
    old = OutgoingMail.objects.filter(created_at__lt=before, status__in=(Status.SENT, Status.EXPIRED))
    count = 0
    while batch := list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
        old.filter(pk__in=batch).delete()
        count += len(batch)
    return count
