"""Retry at once the steps that wait for a later attempt, after an outage."""

from datetime import datetime

from core import outbox
from provisioning.models import ProvisioningEvent


def retry_steps(*, at: datetime) -> int:
    """Make steps that are due, and wait for another attempt, due at once; the sweep enqueues them.

    How many still wait. Mails of later days keep their day; what waits for staff, and what a worker has,
    stays.
    """
    waiting = ProvisioningEvent.objects.filter(status=ProvisioningEvent.Status.PENDING, due_at__lte=at)
    outbox.retry_now(waiting, at=at)
    return waiting.count()
