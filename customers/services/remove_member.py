"""A person's place in a customer ends."""

from datetime import datetime

from django.db import transaction

from customers import roles
from customers.models import AuditEntry, Membership, User

from .change_role import NotYours, keep_an_owner, lock_member, refresh_role
from .record_act import record_act


def remove_member(
    *, membership: Membership, by: Membership | None, actor: User, at: datetime, address: str | None
) -> None:
    """End a place; the next page that the person opens says that they have no account.

    Leaving is removing oneself. `by` None is staff. Keys that the person made go on working.
    Raises NotYours, customers.services.LastOwner and NotFound.
    """
    with transaction.atomic():
        theirs = lock_member(membership)
        is_own = by is not None and by.pk == theirs.pk
        if by is not None and not is_own and not roles.may_remove(refresh_role(by), theirs.role):
            raise NotYours
        keep_an_owner(theirs)
        record_act(
            customer=theirs.customer,
            act=AuditEntry.Act.MEMBER_REMOVED,
            actor=actor,
            subject=f"{theirs.user.email}{' left' if is_own else ''}",
            at=at,
            address=address,
        )
        theirs.delete()
