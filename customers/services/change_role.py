"""Change members' roles, always keeping an owner."""

from datetime import datetime
from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext_noop

from core.errors import DomainError, NotFound
from customers import roles
from customers.models import AuditLogEntry, Customer, Membership, User
from customers.origin import Origin
from customers.selectors import is_last_owner

from .end_access import EndedAccess, KeyChoice, end_lost_permissions
from .record_audit_log_entry import record_audit_log_entry

Role = Membership.Role


class NotPermitted(DomainError):
    code, status = "FORBIDDEN", 403
    message = gettext_noop("Your role does not allow this. Ask an owner of the account.")


class LastOwner(DomainError):
    code, status = "LAST_OWNER", 409
    message = gettext_noop("An account must have an owner. Make somebody else an owner first.")


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
    """Change a member's role and return what access ended with the old one.

    Revokes open invitations that the person may no longer send. If the new role may not manage keys, the keys
    that the person created are reassigned to the actor or revoked, as `keys` says. `by` is the actor's own
    membership, None for staff. Locks the customer, so concurrent changes run one after another. Raises
    NotPermitted, LastOwner and NotFound.
    """
    with transaction.atomic():
        theirs = lock_member(membership)
        if theirs.role == role:
            return EndedAccess()
        if by is not None and not roles.may_change(refresh_role(by), now=theirs.role, to=role):
            raise NotPermitted
        require_another_owner(theirs)
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
        return end_lost_permissions(membership=theirs, keys=keys, actor=actor, at=at, **origin)


def lock_member(membership: Membership) -> Membership:
    """Return the current membership, with its customer locked until the transaction ends.

    Raises NotFound.
    """
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    found = Membership.objects.select_related("customer", "user").filter(pk=membership.pk).first()
    if found is None:
        raise NotFound
    return found


def refresh_role(membership: Membership) -> str:
    """Return a member's current role, with their customer locked.

    Raises NotPermitted if they were removed.
    """
    role = Membership.objects.filter(pk=membership.pk).values_list("role", flat=True).first()
    if role is None:
        raise NotPermitted
    return role


def lock_manager(membership: Membership) -> None:
    """Lock the member's customer until the transaction ends. Raises NotPermitted unless they manage it."""
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    if refresh_role(membership) not in (roles.OWNER, roles.ADMIN):
        raise NotPermitted


def require_another_owner(leaving: Membership) -> None:
    """Raise LastOwner if no other owner can log in. The customer's row must be locked."""
    if is_last_owner(leaving):
        raise LastOwner
