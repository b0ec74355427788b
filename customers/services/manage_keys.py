"""Create, rotate and revoke API keys, with an entry in the audit log for each."""

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

# How long a rotated key may keep working.
OVERLAPS = (timedelta(0), timedelta(hours=1), timedelta(hours=24), timedelta(days=7))
MAX_ACTIVE_KEYS = 50


class TooManyKeys(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop(
        "An account can have at most %(count)d active keys. Revoke one that you no longer use."
    )
    params = {"count": MAX_ACTIVE_KEYS}


class KeyNotActive(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("This key no longer works. Create a new one instead.")


@dataclass(frozen=True)
class NewApiKey:
    """A new key. `raw` exists only here: it is shown once and never stored."""

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
    """Create a key and return it with its raw text, which cannot be retrieved again.

    `by` is the membership of the person who creates it; None if RSOLV itself does. Raises TooManyKeys, and
    NotPermitted if the person was removed meanwhile or may no longer manage keys.
    """
    if by is not None:
        lock_manager(by)
    if ApiKey.objects.active().filter(customer=customer).count() >= MAX_ACTIVE_KEYS:
        raise TooManyKeys
    made = _create(customer=customer, name=name, created_by=created_by, expires_at=expires_at)
    _record(Action.KEY_MADE, made.api_key, created_by, at or timezone.now(), **origin)
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
    """Create a key from its hash. Its raw text was handed out earlier but did not work yet.

    Raises IntegrityError if the key exists.
    """
    api_key = ApiKey.objects.create(
        customer=customer, name=name, prefix=prefix, key_hash=key_hash, created_by=created_by
    )
    _record(Action.KEY_MADE, api_key, created_by, at, **origin)
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
    """Create a replacement for a key.

    The old key keeps working for `overlap`, or less if it expires earlier. A key can be rotated once. Raises
    KeyNotActive, and NotPermitted if `place`, the person's membership, was removed or may no longer manage
    keys.
    """
    if place is not None:
        lock_manager(place)
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("customer").get(pk=api_key.pk)
    if not old.is_active or old.replaced_by_id is not None:
        raise KeyNotActive
    made = _create(customer=old.customer, name=old.name, created_by=by, expires_at=None)
    ends_at = at + overlap
    old.expires_at = ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    old.replaced_by = made.api_key
    old.save(update_fields=["expires_at", "replaced_by"])
    _record(Action.KEY_ROTATED, old, by, at, **origin)
    return made


@transaction.atomic
def revoke_api_key(
    *, api_key: ApiKey, at: datetime, by: User | None = None, **origin: Unpack[Origin]
) -> None:
    """Revoke a key immediately. Repeating it keeps the first time."""
    if ApiKey.objects.filter(pk=api_key.pk, revoked_at=None).update(revoked_at=at):
        _record(Action.KEY_REVOKED, api_key, by, at, **origin)
    api_key.refresh_from_db(fields=["revoked_at"])


def _create(
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


def _record(
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
