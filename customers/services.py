"""Every change of a customer's state."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from rsolv.errors import DomainError

from . import keys, selectors
from .models import ApiKey, Customer, ForgeAccount, Membership, User

# A key's last use is kept to this precision, so that a request rarely writes.
LAST_USE_PRECISION = timedelta(minutes=5)


class EmailTaken(DomainError):
    code, status = "VALIDATION_FAILED", 422
    message = "This address cannot be used. If it is yours, log in or reset your password."


class NamespaceHeld(DomainError):
    code, status = "FORBIDDEN", 403
    message = "This namespace belongs to another RSOLV account. Write to support if that is wrong."


@dataclass(frozen=True)
class NewApiKey:
    """A key just made. `raw` exists only here: it is shown once and never stored."""

    api_key: ApiKey
    raw: str

    def __repr__(self) -> str:
        return f"NewApiKey({self.api_key.prefix}…)"


def create_customer(*, name: str, email: str) -> Customer:
    """Create the account that pays. Raises EmailTaken."""
    try:
        with transaction.atomic():
            return Customer.objects.create(name=name.strip(), email=email.strip().lower())
    except IntegrityError as error:
        raise EmailTaken(fields={"email": EmailTaken.message}) from error


def add_member(*, customer: Customer, user: User, role: str) -> Membership:
    """Give a person a place in a customer. Repeating it sets the role."""
    membership, _ = Membership.objects.update_or_create(customer=customer, user=user, defaults={"role": role})
    return membership


def create_api_key(*, customer: Customer, name: str, created_by: User | None = None) -> NewApiKey:
    """Make a key and return it with its raw text, which cannot be had again."""
    raw = keys.generate_key()
    api_key = ApiKey.objects.create(
        customer=customer,
        name=name,
        prefix=raw[: keys.VISIBLE_CHARACTERS],
        key_hash=keys.hash_key(raw),
        created_by=created_by,
    )
    return NewApiKey(api_key=api_key, raw=raw)


def revoke_api_key(*, api_key: ApiKey, at: datetime) -> None:
    """End a key. Repeating it keeps the first instant."""
    ApiKey.objects.filter(pk=api_key.pk, revoked_at=None).update(revoked_at=at)
    api_key.refresh_from_db(fields=["revoked_at"])


def authenticate_api_key(raw: str) -> ApiKey | None:
    """The active key with this text, its customer loaded, or None. One query; notes the use now and then."""
    if not keys.is_well_formed(raw):
        return None
    api_key = selectors.find_api_key(key_hash=keys.hash_key(raw))
    if api_key is None or not api_key.is_active:
        return None
    _note_use(api_key, timezone.now())
    return api_key


def _note_use(api_key: ApiKey, now: datetime) -> None:
    if api_key.last_used_at is None or now - api_key.last_used_at > LAST_USE_PRECISION:
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now)


def claim_namespace(
    *, customer: Customer, namespace: str, forge: str = ForgeAccount.Forge.GITHUB
) -> ForgeAccount:
    """The customer's hold on a namespace, claimed on first use. Raises NamespaceHeld.

    Safe to race: the database holds each namespace once, whatever its case.
    """
    held = selectors.find_forge_account(forge=forge, namespace=namespace)
    if held is None:
        try:
            with transaction.atomic():
                return ForgeAccount.objects.create(customer=customer, forge=forge, namespace=namespace)
        except IntegrityError:
            held = selectors.find_forge_account(forge=forge, namespace=namespace)
    if held is None or held.customer_id != customer.pk:
        raise NamespaceHeld
    return held
