"""What signups leave to a person."""

from core.admin.work_queue import parked_rows

from .models import OutgoingMail, ProvisioningEvent

WORK = (
    parked_rows("Steps after a signup that failed", ProvisioningEvent),
    parked_rows("Mails of accounts that were not sent", OutgoingMail),
)
