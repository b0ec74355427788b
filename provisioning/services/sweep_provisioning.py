"""Steps that are due and stuck are handed out again, so that a lost queue loses nothing."""

from django.utils import timezone

from core.queue.enqueue import enqueue_on_commit
from provisioning.metrics import BROKEN
from provisioning.selectors import list_broken_signups, list_due_steps

BATCH = 1000


def sweep_provisioning() -> int:
    """Enqueue every step and mail that is due, up to 1000 of each; count the signups that are broken."""
    now = timezone.now()
    due = [
        (task, pk)
        for task, rows in list_due_steps(at=now).items()
        for pk in rows.values_list("pk", flat=True)[:BATCH]
    ]
    for task, pk in due:
        enqueue_on_commit(task, str(pk))
    BROKEN.set(len(list_broken_signups(at=now)))
    return len(due)
