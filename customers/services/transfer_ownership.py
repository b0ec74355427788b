"""Transfer ownership of an account."""

from datetime import datetime
from typing import Unpack

from django.db import transaction

from customers import roles
from customers.models import AuditLogEntry, Membership
from customers.origin import Origin

from .change_role import NotPermitted, lock_member, refresh_role
from .end_access import EndedAccess, KeyChoice, end_lost_permissions
from .record_audit_log_entry import record_audit_log_entry

Role = Membership.Role


def transfer_ownership(
    *, to: Membership, by: Membership, at: datetime, **origin: Unpack[Origin]
) -> EndedAccess:
    """Make another member owner and the present owner an admin. Return what access ended with that.

    Revokes the present owner's open invitations for owners. The new owner must be able to log in. Raises
    NotPermitted and NotFound.
    """
    with transaction.atomic():
        theirs = lock_member(to)
        is_elsewhere = theirs.customer_id != by.customer_id or theirs.pk == by.pk
        if is_elsewhere or not theirs.user.is_active or not roles.may_transfer(refresh_role(by)):
            raise NotPermitted
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
        return end_lost_permissions(membership=given, keys=KeyChoice.KEEP, actor=by.user, at=at, **origin)
