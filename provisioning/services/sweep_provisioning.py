"""Enqueue due steps and mails again, so that losing the queue loses no work."""

from datetime import datetime

from django.utils import timezone

from core.outbox.sweep import list_outboxes, sweep
from provisioning.metrics import BROKEN
from provisioning.selectors import list_complete_runs, list_overdue_runs


def sweep_provisioning() -> int:
    """Enqueue due steps and mails, up to 1000 of each, and update the gauge of incomplete signups."""
    now = timezone.now()
    BROKEN.set(check_signups(at=now))
    return sweep(list_outboxes("provisioning"), at=now)


def check_signups(*, at: datetime) -> int:
    """Mark complete signups as such, and return the number of overdue incomplete ones.

    Complete ones are not checked again, so the cost does not grow with the number of customers.
    """
    list_complete_runs(at=at).update(completed_at=at)
    return list_overdue_runs(at=at).count()
