"""Record expired invitations in the audit log."""

from datetime import datetime

from django.db import transaction

from customers.models import AuditLogEntry, Invitation

from .record_audit_log_entry import PRODUCT

BATCH = 1000


@transaction.atomic
def expire_invitations(*, at: datetime) -> int:
    """Record each open invitation that has expired, once. Return their number, at most 1000 per call.

    They stay open, so that they can be sent again and expire again.
    """
    expired = Invitation.objects.filter(
        accepted_at=None, revoked_at=None, expires_at__lte=at, expiry_recorded_at=None
    )
    found = list(expired.select_for_update().order_by("pk")[:BATCH])
    AuditLogEntry.objects.bulk_create(_describe(invitation) for invitation in found)
    Invitation.objects.filter(pk__in=[each.pk for each in found]).update(expiry_recorded_at=at)
    return len(found)


def _describe(invitation: Invitation) -> AuditLogEntry:
    return AuditLogEntry(
        customer_id=invitation.customer_id,
        action=AuditLogEntry.Action.INVITATION_EXPIRED,
        actor_name=PRODUCT,
        subject=f"{invitation.email} as {invitation.role}"[:254],
        at=invitation.expires_at,
    )
