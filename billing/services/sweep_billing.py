"""Enqueue billing's due outbox rows again, so that losing the queue loses no work."""

from django.utils import timezone

from billing.services.payments.sync_payment_state import block_overdue
from core.outbox.sweep import list_outboxes, sweep


def sweep_billing() -> int:
    """Enqueue up to 1000 due rows of each kind and return how many.

    First notifies customers whose grace period has ended. Usage and corrections that staff have paused are
    not due. Safe to repeat: a worker leases a row before it works on it.
    """
    now = timezone.now()
    block_overdue(at=now)
    return sweep(list_outboxes("billing"), at=now)
