"""Whatever is due and stuck is handed out again, so that a lost queue loses nothing."""

import structlog
from django.utils import timezone

from billing import selectors
from core.queue.enqueue import enqueue_on_commit

from .follow_payment import block_overdue

log = structlog.get_logger(__name__)

BATCH = 1000


def sweep_billing() -> int:
    """Enqueue whatever is due, up to 1000 of each kind; return how many.

    Handing out something twice is harmless: each is leased by whoever starts first. Usage and corrections
    that staff hold back stay due. Whose grace has ended is told so first.
    """
    now = timezone.now()
    block_overdue(at=now)
    due = [
        (task, pk)
        for task, rows in selectors.list_due(at=now).items()
        for pk in rows.values_list("pk", flat=True)[:BATCH]
    ]
    for task, pk in due:
        enqueue_on_commit(task, str(pk))
    if due:
        log.info("billing_swept", count=len(due))
    return len(due)
