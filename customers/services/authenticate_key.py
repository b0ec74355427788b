"""Who a key belongs to."""

from datetime import datetime, timedelta

from django.utils import timezone

from customers import keys, selectors
from customers.models import ApiKey

# A key's last use is kept to this precision, so that a request rarely writes.
LAST_USE_PRECISION = timedelta(minutes=5)


def authenticate_api_key(raw: str, *, address: str | None = None) -> ApiKey | None:
    """The active key with this text, its customer loaded, or None. One query; notes the use now and then.

    Of a customer that has closed its account no key is active.
    """
    if not keys.is_well_formed(raw):
        return None
    api_key = selectors.find_api_key(key_hash=keys.hash_key(raw))
    if api_key is None or not api_key.is_active or api_key.customer.closed_at is not None:
        return None
    _note_use(api_key, timezone.now(), address)
    return api_key


def _note_use(api_key: ApiKey, now: datetime, address: str | None) -> None:
    if api_key.last_used_at is None or now - api_key.last_used_at > LAST_USE_PRECISION:
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now, last_used_from=address)
