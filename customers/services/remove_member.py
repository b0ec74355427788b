"""Remove members."""

from datetime import datetime
from typing import Unpack

from django.db import transaction

from customers import roles
from customers.models import AuditLogEntry, Membership, User
from customers.origin import Origin

from .change_role import NotPermitted, lock_member, refresh_role, require_another_owner
from .end_access import EndedAccess, KeyChoice, end_access
from .record_audit_log_entry import record_audit_log_entry


def remove_member(
    *,
    membership: Membership,
    by: Membership | None,
    actor: User,
    at: datetime,
    keys: KeyChoice = KeyChoice.REVOKE,
    **origin: Unpack[Origin],
) -> EndedAccess:
    """Remove a member and revoke the open invitations that they sent or could accept. Return what ended.

    Also used to leave. `by` None is staff. Keys that the person created are revoked, or reassigned to the
    actor (to an owner if the actor is the person or staff). The person's next page says that they have no
    account. Raises NotPermitted, LastOwner and NotFound.
    """
    with transaction.atomic():
        theirs = lock_member(membership)
        is_own = by is not None and by.pk == theirs.pk
        if by is not None and not is_own and not roles.may_remove(refresh_role(by), theirs.role):
            raise NotPermitted
        require_another_owner(theirs)
        # Recorded and ended while the membership is still there to read.
        record_audit_log_entry(
            customer=theirs.customer,
            action=AuditLogEntry.Action.MEMBER_REMOVED,
            actor=actor,
            subject=f"{theirs.user.email}{' left' if is_own else ''}",
            at=at,
            **origin,
        )
        ended = end_access(leaving=theirs, keys=keys, actor=actor, at=at, **origin)
        theirs.delete()
    return ended
