"""Retry waiting provisioning steps immediately, after an outage."""

from datetime import datetime

from core.outbox import operators
from provisioning.models import ProvisioningEvent


def retry_steps(*, at: datetime) -> int:
    """Make waiting steps due now; the sweep enqueues them. Return how many steps are open.

    Mails of later days keep their date. Parked steps and steps leased by a worker are unchanged.
    """
    waiting = ProvisioningEvent.objects.filter(status=ProvisioningEvent.Status.PENDING, due_at__lte=at)
    operators.retry_now(waiting, at=at)
    return waiting.count()
