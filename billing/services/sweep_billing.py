"""Whatever of billing is due is enqueued again, so that a lost queue loses nothing."""

from django.utils import timezone

from billing.services.payments.sync_payment_state import block_overdue
from core import outbox


def sweep_billing() -> int:
    """Enqueue whatever is due, up to 1000 of each kind; return how many.

    Usage and corrections that staff hold back stay due. Accounts whose grace has ended are blocked first.
    """
    now = timezone.now()
    block_overdue(at=now)
    return outbox.sweep(outbox.list_outboxes("billing"), at=now)
