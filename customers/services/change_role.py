"""Who is what in a customer changes hands; an owner is always left."""

from datetime import datetime
from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext_noop

from core.errors import DomainError, NotFound
from customers import roles
from customers.models import AuditLogEntry, Customer, Membership, User
from customers.origin import Origin
from customers.selectors import is_last_owner

from .end_access import EndedAccess, KeyChoice, end_lost_rights
from .record_audit_log_entry import record_audit_log_entry

Role = Membership.Role


class NotYours(DomainError):
    code, status = "FORBIDDEN", 403
    message = gettext_noop("Your role does not allow this. Ask an owner of the account.")


class LastOwner(DomainError):
    code, status = "LAST_OWNER", 409
    message = gettext_noop("An account keeps an owner. Make somebody else owner first.")


def change_role(
    *,
    membership: Membership,
    role: str,
    by: Membership | None,
    actor: User,
    at: datetime,
    keys: KeyChoice = KeyChoice.KEEP,
    **origin: Unpack[Origin],
) -> EndedAccess:
    """Give a member another role; return what ended with the old one.

    Open invitations that the person could no longer send are revoked. Where the new role makes no keys, those
    that the person made are reassigned to the actor, or revoked, as `keys` says. `by` is the actor's own
    place, None for staff. Races between changes of one customer are waited out. Raises NotYours, LastOwner
    and NotFound.
    """
    with transaction.atomic():
        theirs = lock_member(membership)
        if theirs.role == role:
            return EndedAccess()
        if by is not None and not roles.may_change(refresh_role(by), now=theirs.role, to=role):
            raise NotYours
        keep_an_owner(theirs)
        words = f"{theirs.user.email}: {theirs.role} to {role}"
        theirs.role = role
        theirs.save(update_fields=["role"])
        record_audit_log_entry(
            customer=theirs.customer,
            action=AuditLogEntry.Action.ROLE_CHANGED,
            actor=actor,
            subject=words,
            at=at,
            **origin,
        )
        return end_lost_rights(membership=theirs, keys=keys, actor=actor, at=at, **origin)


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


def lock_manager(membership: Membership) -> None:
    """Lock the member's customer until the transaction ends. Raises NotYours where they do not manage it."""
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    if refresh_role(membership) not in (roles.OWNER, roles.ADMIN):
        raise NotYours


def keep_an_owner(leaving: Membership) -> None:
    """Raise LastOwner where nobody else who can log in owns the customer. Its row must be locked."""
    if is_last_owner(leaving):
        raise LastOwner
