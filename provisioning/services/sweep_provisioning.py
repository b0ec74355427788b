"""Steps and mails that are due are enqueued again, so that a lost queue loses nothing."""

from datetime import datetime

from django.utils import timezone

from core import outbox
from provisioning.metrics import BROKEN
from provisioning.selectors import list_complete_runs, list_overdue_runs


def sweep_provisioning() -> int:
    """Enqueue every step and mail that is due, up to 1000 of each; count the signups that are broken."""
    now = timezone.now()
    BROKEN.set(check_signups(at=now))
    return outbox.sweep(outbox.list_outboxes("provisioning"), at=now)


def check_signups(*, at: datetime) -> int:
    """Mark signups that have become what they should as complete; how many are late and have not.

    Complete ones are not looked at again, so that the cost does not grow with the customers.
    """
    list_complete_runs(at=at).update(completed_at=at)
    return list_overdue_runs(at=at).count()
