"""Deactivate and reactivate people."""

from datetime import datetime
from typing import Unpack

from django.db import transaction

from customers.models import AuditLogEntry, Customer, Membership, User
from customers.origin import Origin

from .end_access import KeyChoice, end_access
from .end_sessions import end_sessions
from .record_audit_log_entry import record_audit_log_entry


def deactivate_person(
    *,
    user: User,
    actor: User,
    at: datetime,
    keys: KeyChoice = KeyChoice.REVOKE,
    **origin: Unpack[Origin],
) -> None:
    """Stop a person from logging in, and end their sessions, open invitations and keys. For staff.

    Their memberships stay. Keys to be kept stay the person's if nobody else can take them over. Safe to
    repeat.
    """
    with transaction.atomic():
        places = _lock_memberships(user)
        if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            return
        end_sessions(user=user)
        for place in places:
            _record(place, "deactivated", actor, at, **origin)
            end_access(leaving=place, keys=keys, actor=actor, at=at, **origin)
    user.is_active = False


def reactivate_person(*, user: User, actor: User, at: datetime, **origin: Unpack[Origin]) -> None:
    """Allow a person to log in again. Ended sessions, invitations and keys stay ended. Safe to repeat."""
    with transaction.atomic():
        places = _lock_memberships(user)
        if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            return
        for place in places:
            _record(place, "reactivated", actor, at, **origin)
    user.is_active = True


def _lock_memberships(user: User) -> list[Membership]:
    """Return the person's memberships, after locking their customers in the order of their ids."""
    own = Customer.objects.filter(memberships__user=user).values("pk")
    list(Customer.objects.select_for_update().filter(pk__in=own).order_by("pk"))
    return list(Membership.objects.select_related("customer", "user").filter(user=user))


def _record(place: Membership, what: str, actor: User, at: datetime, **origin: Unpack[Origin]) -> None:
    record_audit_log_entry(
        customer=place.customer,
        action=AuditLogEntry.Action.STAFF_ACTED,
        actor=actor,
        at=at,
        subject=f"{place.user.email}: {what}",
        **origin,
    )
