"""An account changes hands."""

from datetime import datetime
from typing import Unpack

from django.db import transaction

from customers import roles
from customers.models import AuditLogEntry, Membership
from customers.origin import Origin

from .change_role import NotYours, lock_member, refresh_role
from .end_access import EndedAccess, KeyChoice, end_lost_rights
from .record_audit_log_entry import record_audit_log_entry

Role = Membership.Role


def transfer_ownership(
    *, to: Membership, by: Membership, at: datetime, **origin: Unpack[Origin]
) -> EndedAccess:
    """Make another member owner, and the owner who gives it away an admin; return what ended with that.

    Their open invitations of owners are revoked. Nobody who cannot log in becomes owner. Raises NotYours and
    NotFound.
    """
    with transaction.atomic():
        theirs = lock_member(to)
        is_elsewhere = theirs.customer_id != by.customer_id or theirs.pk == by.pk
        if is_elsewhere or not theirs.user.is_active or not roles.may_transfer(refresh_role(by)):
            raise NotYours
        Membership.objects.filter(pk=theirs.pk).update(role=Role.OWNER)
        Membership.objects.filter(pk=by.pk).update(role=Role.ADMIN)
        record_audit_log_entry(
            customer=theirs.customer,
            action=AuditLogEntry.Action.OWNERSHIP_TRANSFERRED,
            actor=by.user,
            subject=f"to {theirs.user.email}",
            at=at,
            **origin,
        )
        given = lock_member(by)
        return end_lost_rights(membership=given, keys=KeyChoice.KEEP, actor=by.user, at=at, **origin)
