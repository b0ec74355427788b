"""Authenticate API keys."""

from datetime import datetime, timedelta

from django.utils import timezone

from core.redis.client import RedisUnavailable
from customers import key_cache, key_uses, keys, selectors
from customers.metrics import KEY_CACHE_ERRORS, KEY_CACHE_HITS, KEY_CACHE_MISSES
from customers.models import ApiKey, KeyInvalidation
from customers.principals import ApiPrincipal

# Precision of a key's last use, so that most requests write nothing.
LAST_USE_PRECISION = timedelta(minutes=1)


def authenticate_api_key(raw: str, *, address: str | None = None) -> ApiPrincipal | None:
    """Return the principal of a raw key, or None if the key is invalid.

    Queries the database once, and not at all on a cache hit. A key is invalid as soon as the call that
    revoked it has returned, and while its customer is closed or blocked. Records the use: the first one
    immediately, later ones within a minute.
    """
    if not keys.is_well_formed(raw):
        return None
    key_hash, now = keys.hash_key(raw), timezone.now()
    if not key_cache.is_on():
        return _look_up(key_hash, now, address)
    try:
        reading = _read(key_hash)
    except RedisUnavailable:
        KEY_CACHE_ERRORS.inc()
        return _look_up(key_hash, now, address)
    if not reading.is_answer:
        KEY_CACHE_MISSES.inc()
        return _fill(key_hash, now, address) if reading.is_free else _look_up(key_hash, now, address)
    KEY_CACHE_HITS.inc()
    if reading.principal is None or not reading.principal.is_valid_at(now):
        return None
    key_uses.record_use(reading.principal.key_id, now, address)
    return reading.principal


def _read(key_hash: str) -> key_cache.CacheEntry:
    """Read the cache.

    If its lease has ended, one of the processes renews it; the others query the database.
    """
    reading = key_cache.read(key_hash)
    if reading.has_lease:
        return reading
    began_at = key_cache.begin_lease()
    if began_at is None:
        return reading
    KeyInvalidation.objects.invalidate_marked()
    key_cache.grant_lease(began_at)
    return key_cache.read(key_hash)


def _fill(key_hash: str, now: datetime, address: str | None) -> ApiPrincipal | None:
    """Query the database and cache the result.

    The marker must be set before the query: an invalidation after the query then removes it, and the outdated
    result is not stored. See customers.key_cache.
    """
    marker = None
    try:
        marker = key_cache.begin_fill(key_hash)
    except RedisUnavailable:
        KEY_CACHE_ERRORS.inc()
    principal = _look_up(key_hash, now, address)
    if marker is not None:
        try:
            key_cache.end_fill(key_hash, marker, principal)
        except RedisUnavailable:
            KEY_CACHE_ERRORS.inc()
    return principal


def _look_up(key_hash: str, now: datetime, address: str | None) -> ApiPrincipal | None:
    found = selectors.get_principal_by_key_hash(key_hash=key_hash)
    if found is None:
        return None
    principal, last_used_at = found
    if last_used_at is None or now - last_used_at > LAST_USE_PRECISION:
        ApiKey.objects.filter(pk=principal.key_id).update(last_used_at=now, last_used_from=address)
    return principal
