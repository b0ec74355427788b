"""Delete old mails and the addresses they were sent to."""

from datetime import datetime, timedelta

from django.conf import settings

from core.outbox import operators
from provisioning.models import OutgoingMail

from .send_mail import GIVE_UP_AFTER, NO_TEXT

BATCH = 1000
Status = OutgoingMail.Status


def prune_mails(*, at: datetime) -> int:
    """Delete mails sent or given up MAIL_RETENTION_DAYS ago, in batches. Return their number.

    First expires parked mails whose code or link is no longer valid, and deletes their text. Safe to repeat.
    """
    parked = OutgoingMail.objects.filter(status=Status.PARKED, created_at__lt=at - GIVE_UP_AFTER)
    operators.close(parked, at=at, status=Status.EXPIRED, **NO_TEXT)
    before = at - timedelta(days=settings.MAIL_RETENTION_DAYS)
    old = OutgoingMail.objects.filter(created_at__lt=before, status__in=(Status.SENT, Status.EXPIRED))
    count = 0
    while batch := list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
        old.filter(pk__in=batch).delete()
        count += len(batch)
    return count
