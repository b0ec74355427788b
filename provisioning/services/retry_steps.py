"""An operator's push after an outage: steps that failed are not waited for."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from provisioning.models import ProvisioningEvent


def retry_steps(*, at: datetime) -> int:
    """Make steps that are due, and wait for another attempt, due at once; the sweep hands them out.

    How many still wait. Mails of later days keep their day; what waits for staff, and what a worker holds
    at the moment, stays: a mail sent by two workers would be two mails.
    """
    waiting = ProvisioningEvent.objects.filter(state=ProvisioningEvent.State.PENDING, due_at__lte=at)
    waiting.filter(next_attempt_at__gt=at).exclude(last_error="").update(next_attempt_at=at)
    return waiting.count()


def retry_failed_steps(*, ids: Iterable[UUID], at: datetime) -> int:
    """Try steps again that wait for staff; how many. Those in another state stay as they are."""
    failed = ProvisioningEvent.objects.filter(pk__in=ids, state=ProvisioningEvent.State.FAILED)
    return failed.update(state=ProvisioningEvent.State.PENDING, attempts=0, next_attempt_at=at)
