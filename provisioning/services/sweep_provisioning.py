"""Steps that are due and stuck are handed out again, so that a lost queue loses nothing."""

from django.utils import timezone

from provisioning.metrics import BROKEN
from provisioning.models import OutgoingMail, ProvisioningEvent
from provisioning.selectors import list_broken_signups
from rsolv.queue import enqueue_on_commit

BATCH = 1000


def sweep_provisioning() -> int:
    """Enqueue every step and mail that is due, up to 1000 of each; count the signups that are broken."""
    now = timezone.now()
    steps = ProvisioningEvent.objects.filter(
        state=ProvisioningEvent.State.PENDING, next_attempt_at__lte=now
    ).order_by("next_attempt_at")
    mails = OutgoingMail.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    due = [
        *(("provisioning.tasks.send_mail", pk) for pk in mails.values_list("pk", flat=True)[:BATCH]),
        *(("provisioning.tasks.run_step", pk) for pk in steps.values_list("pk", flat=True)[:BATCH]),
    ]
    for task, pk in due:
        enqueue_on_commit(task, str(pk))
    BROKEN.set(len(list_broken_signups(at=now)))
    return len(due)
