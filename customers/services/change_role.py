"""Who is what in a customer changes hands; an owner is always left."""

from datetime import datetime

from django.db import transaction

from customers import roles
from customers.models import AuditEntry, Customer, Membership, User
from customers.selectors import is_last_owner
from rsolv.errors import DomainError, NotFound

from .record_act import record_act

Role = Membership.Role


class NotYours(DomainError):
    code, status = "FORBIDDEN", 403
    message = "Your role does not allow this. Ask an owner of the account."


class LastOwner(DomainError):
    code, status = "LAST_OWNER", 409
    message = "An account keeps an owner. Make somebody else owner first."


def change_role(
    *,
    membership: Membership,
    role: str,
    by: Membership | None,
    actor: User,
    at: datetime,
    address: str | None,
) -> None:
    """Give a member another role. Raises NotYours, LastOwner and NotFound.

    `by` is the actor's own place, None for staff. Races between changes of one customer are waited out.
    """
    with transaction.atomic():
        theirs = lock_member(membership)
        if theirs.role == role:
            return
        if by is not None and not roles.may_change(refresh_role(by), now=theirs.role, to=role):
            raise NotYours
        keep_an_owner(theirs)
        words = f"{theirs.user.email}: {theirs.role} to {role}"
        theirs.role = role
        theirs.save(update_fields=["role"])
        record_act(
            customer=theirs.customer,
            act=AuditEntry.Act.ROLE_CHANGED,
            actor=actor,
            subject=words,
            at=at,
            address=address,
        )


def lock_member(membership: Membership) -> Membership:
    """The membership as it stands, its customer locked until the transaction ends. Raises NotFound."""
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    found = Membership.objects.select_related("customer", "user").filter(pk=membership.pk).first()
    if found is None:
        raise NotFound
    return found


def refresh_role(membership: Membership) -> str:
    """A member's role as it stands while their customer is locked. Raises NotYours where they are gone."""
    role = Membership.objects.filter(pk=membership.pk).values_list("role", flat=True).first()
    if role is None:
        raise NotYours
    return role


def keep_an_owner(leaving: Membership) -> None:
    """Raise LastOwner where nobody else who can log in owns the customer. Its row must be locked."""
    if is_last_owner(leaving):
        raise LastOwner
