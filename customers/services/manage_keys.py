"""API keys are made, exchanged and ended; each action stands in the audit log."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers import keys
from customers.models import ApiKey, AuditLogEntry, Customer, Membership, User
from customers.origin import Origin

from .change_role import lock_manager
from .record_audit_log_entry import record_audit_log_entry

Action = AuditLogEntry.Action

# How long a key that is rotated may go on working.
OVERLAPS = (timedelta(0), timedelta(hours=1), timedelta(hours=24), timedelta(days=7))
MOST_ACTIVE_KEYS = 50


class TooManyKeys(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop(
        "An account has at most %(count)d keys that work. Revoke one that you no longer use."
    )
    params = {"count": MOST_ACTIVE_KEYS}


class KeyNotActive(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("This key does not work any more. Make a new one instead.")


@dataclass(frozen=True)
class NewApiKey:
    """A key just made. `raw` exists only here: it is shown once and never stored."""

    api_key: ApiKey
    raw: str

    def __repr__(self) -> str:
        return f"NewApiKey({self.api_key.prefix}…)"


@transaction.atomic
def create_api_key(
    *,
    customer: Customer,
    name: str,
    created_by: User | None = None,
    expires_at: datetime | None = None,
    at: datetime | None = None,
    by: Membership | None = None,
    **origin: Unpack[Origin],
) -> NewApiKey:
    """Make a key and return it with its raw text, which cannot be had again. Raises TooManyKeys.

    `by` is the place of the person who makes it: where they were removed meanwhile, or may not make keys any
    more, NotYours is raised. None: the product itself makes it.
    """
    if by is not None:
        lock_manager(by)
    if ApiKey.objects.active().filter(customer=customer).count() >= MOST_ACTIVE_KEYS:
        raise TooManyKeys
    made = _make(customer=customer, name=name, created_by=created_by, expires_at=expires_at)
    _note(Action.KEY_MADE, made.api_key, created_by, at or timezone.now(), **origin)
    return made


@transaction.atomic
def adopt_api_key(
    *,
    customer: Customer,
    name: str,
    prefix: str,
    key_hash: str,
    created_by: User,
    at: datetime,
    **origin: Unpack[Origin],
) -> ApiKey:
    """Make a key of which only the hash is known here: its text was handed out earlier and did not work yet.

    Raises IntegrityError where the key exists.
    """
    api_key = ApiKey.objects.create(
        customer=customer, name=name, prefix=prefix, key_hash=key_hash, created_by=created_by
    )
    _note(Action.KEY_MADE, api_key, created_by, at, **origin)
    return api_key


@transaction.atomic
def rotate_api_key(
    *,
    api_key: ApiKey,
    overlap: timedelta,
    by: User,
    at: datetime,
    place: Membership | None = None,
    **origin: Unpack[Origin],
) -> NewApiKey:
    """Make the key that takes over; the old one works on for the overlap, and never longer than it did.

    A key is exchanged once. Raises KeyNotActive, and NotYours where `place`, the person's own, is gone or
    makes no keys any more.
    """
    if place is not None:
        lock_manager(place)
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("customer").get(pk=api_key.pk)
    if not old.is_active or old.replaced_by_id is not None:
        raise KeyNotActive
    made = _make(customer=old.customer, name=old.name, created_by=by, expires_at=None)
    ends_at = at + overlap
    old.expires_at = ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    old.replaced_by = made.api_key
    old.save(update_fields=["expires_at", "replaced_by"])
    _note(Action.KEY_ROTATED, old, by, at, **origin)
    return made


@transaction.atomic
def revoke_api_key(
    *, api_key: ApiKey, at: datetime, by: User | None = None, **origin: Unpack[Origin]
) -> None:
    """End a key at once. Repeating it keeps the first instant."""
    if ApiKey.objects.filter(pk=api_key.pk, revoked_at=None).update(revoked_at=at):
        _note(Action.KEY_REVOKED, api_key, by, at, **origin)
    api_key.refresh_from_db(fields=["revoked_at"])


def _make(
    *, customer: Customer, name: str, created_by: User | None, expires_at: datetime | None
) -> NewApiKey:
    raw = keys.generate_key()
    api_key = ApiKey.objects.create(
        customer=customer,
        name=name,
        prefix=raw[: keys.VISIBLE_CHARACTERS],
        key_hash=keys.hash_key(raw),
        created_by=created_by,
        expires_at=expires_at,
    )
    return NewApiKey(api_key=api_key, raw=raw)


def _note(
    action: AuditLogEntry.Action, api_key: ApiKey, by: User | None, at: datetime, **origin: Unpack[Origin]
) -> None:
    record_audit_log_entry(
        customer=api_key.customer,
        action=action,
        actor=by,
        at=at,
        subject=str(api_key),
        **origin,
    )
