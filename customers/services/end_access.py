"""End the access that invitations and API keys give, when a person leaves or changes roles."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Unpack

from django.db.models import Q, QuerySet

from customers import roles, selectors
from customers.models import ApiKey, AuditLogEntry, Customer, Invitation, Membership, User
from customers.origin import Origin

from .record_audit_log_entry import record_audit_log_entries

Action = AuditLogEntry.Action


class KeyChoice(StrEnum):
    """What happens to the API keys that a person created. KEEP reassigns them to another member."""

    REVOKE = "revoke"
    KEEP = "keep"


@dataclass(frozen=True)
class EndedAccess:
    """The numbers of revoked invitations, revoked keys and reassigned keys."""

    invitations: int = 0
    keys_revoked: int = 0
    keys_reassigned: int = 0


def end_access(
    *, leaving: Membership, keys: KeyChoice, actor: User, at: datetime, **origin: Unpack[Origin]
) -> EndedAccess:
    """Revoke the open invitations that a person sent or could accept, and revoke or reassign their keys.

    The customer's row must be locked. Safe to repeat.
    """
    customer, person = leaving.customer, leaving.user
    addresses = selectors.list_addresses(user=person)
    sent_or_received = Q(invited_by=person)
    for address in addresses:
        sent_or_received |= Q(email__iexact=address)
    invitations = _revoke_invitations(customer, sent_or_received, actor, at, **origin)
    revoked, reassigned = _end_keys(leaving, keys, actor, at, **origin)
    return EndedAccess(invitations, revoked, reassigned)


def end_lost_permissions(
    *, membership: Membership, keys: KeyChoice, actor: User, at: datetime, **origin: Unpack[Origin]
) -> EndedAccess:
    """After a change of role, revoke the open invitations that the person may no longer send.

    Their keys are revoked or reassigned if the new role may not manage keys. The customer's row must be
    locked.
    """
    lost = [role for role in roles.ROLES if not roles.may_invite(membership.role, role)]
    sent = Q(invited_by=membership.user, role__in=lost)
    invitations = _revoke_invitations(membership.customer, sent, actor, at, **origin)
    if membership.may_manage:
        return EndedAccess(invitations)
    revoked, reassigned = _end_keys(membership, keys, actor, at, **origin)
    return EndedAccess(invitations, revoked, reassigned)


def _revoke_invitations(
    customer: Customer, which: Q, actor: User, at: datetime, **origin: Unpack[Origin]
) -> int:
    open_ones = Invitation.objects.filter(which, customer=customer, accepted_at=None, revoked_at=None)
    found = list(open_ones.select_for_update().order_by("pk"))
    Invitation.objects.filter(pk__in=[each.pk for each in found]).update(revoked_at=at)
    _record(
        customer, Action.INVITATION_REVOKED, (f"{i.email} as {i.role}" for i in found), actor, at, **origin
    )
    return len(found)


def _end_keys(
    leaving: Membership, choice: KeyChoice, actor: User, at: datetime, **origin: Unpack[Origin]
) -> tuple[int, int]:
    """Return the numbers of revoked and of reassigned keys."""
    customer = leaving.customer
    theirs = selectors.list_working_keys(customer=customer, made_by=leaving.user)
    if choice == KeyChoice.REVOKE:
        revoked = _update(theirs, revoked_at=at)
        _record(customer, Action.KEY_REVOKED, map(str, revoked), actor, at, **origin)
        return len(revoked), 0
    new_owner = _find_new_key_owner(leaving, actor)
    if new_owner is None:
        return 0, 0
    kept = _update(theirs, created_by=new_owner)
    _record(
        customer, Action.KEY_REASSIGNED, (f"{key} to {new_owner.email}" for key in kept), actor, at, **origin
    )
    return 0, len(kept)


def _update(keys: QuerySet[ApiKey], **fields: datetime | User) -> list[ApiKey]:
    found = list(keys)
    ApiKey.objects.filter(pk__in=[key.pk for key in found]).update(**fields)
    return found


def _find_new_key_owner(leaving: Membership, actor: User) -> User | None:
    """Return who becomes responsible for the keys: the actor if they manage the customer, else an owner."""
    others = leaving.customer.memberships.select_related("user").exclude(pk=leaving.pk)
    managers = others.filter(role__in=(roles.OWNER, roles.ADMIN), user__is_active=True)
    found = list(managers.order_by("created_at", "pk"))
    own = next((each for each in found if each.user_id == actor.pk), None)
    owner = next((each for each in found if each.role == roles.OWNER), None)
    new_owner = own or owner
    return new_owner.user if new_owner else None


def _record(
    customer: Customer,
    action: AuditLogEntry.Action,
    subjects: Iterable[str],
    actor: User,
    at: datetime,
    **origin: Unpack[Origin],
) -> None:
    record_audit_log_entries(
        customer=customer, action=action, actor=actor, at=at, subjects=subjects, **origin
    )
