"""An account changes hands."""

from datetime import datetime

from django.db import transaction

from customers import roles
from customers.models import AuditEntry, Membership

from .change_role import NotYours, lock_member, refresh_role
from .record_act import record_act

Role = Membership.Role


def transfer_ownership(*, to: Membership, by: Membership, at: datetime, address: str | None) -> None:
    """Make another member owner, and the owner who gives it away an admin. Raises NotYours and NotFound."""
    with transaction.atomic():
        theirs = lock_member(to)
        is_elsewhere = theirs.customer_id != by.customer_id or theirs.pk == by.pk
        if is_elsewhere or not roles.may_transfer(refresh_role(by)):
            raise NotYours
        Membership.objects.filter(pk=theirs.pk).update(role=Role.OWNER)
        Membership.objects.filter(pk=by.pk).update(role=Role.ADMIN)
        record_act(
            customer=theirs.customer,
            act=AuditEntry.Act.OWNERSHIP_TRANSFERRED,
            actor=by.user,
            subject=f"to {theirs.user.email}",
            at=at,
            address=address,
        )
