"""API keys are made and ended."""

from dataclasses import dataclass
from datetime import datetime

from customers import keys
from customers.models import ApiKey, Customer, User


@dataclass(frozen=True)
class NewApiKey:
    """A key just made. `raw` exists only here: it is shown once and never stored."""

    api_key: ApiKey
    raw: str

    def __repr__(self) -> str:
        return f"NewApiKey({self.api_key.prefix}…)"


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
