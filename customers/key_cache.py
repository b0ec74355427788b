"""Cache of API-key lookups in Redis, by the key's SHA-256. See docs/decisions/013.

Entries count only while a lease runs. A lease lasts KEY_CACHE_LEASE_SECONDS from a time before the pending
invalidations were read from the database, so a key revoked earlier is never accepted, whichever process
revoked it. A fill writes only if its own marker is still there; an invalidation removes the marker too.

Functions that call Redis raise core.redis.client.RedisUnavailable.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from redis import Redis

from core.redis.client import RedisClient, RedisUnavailable, get_redis_client
from customers.metrics import KEY_CACHE_EVICTIONS

from .principals import ApiPrincipal, decode, encode

# The version of the entry format: other releases do not read entries of another format.
PREFIX = "rsolv:keys:2"
ENTRIES = f"{PREFIX}:of:"
LEASE = f"{PREFIX}:lease"
RENEWING = f"{PREFIX}:renewing"
RUN = f"{PREFIX}:run"

INVALID = b"-"
MARKER = b"?"
# How long a fill may take before another may start, and how long an invalid key is cached.
FILL_SECONDS = 5
INVALID_SECONDS = 10
BATCH = 1000

WRITE_IF_MARKED = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """The result of a cache lookup.

    `is_answer`: the cache can answer; `principal` is then None for an invalid key. `is_free`: there is no
    entry and no fill in progress. `has_lease`: entries count at this time.
    """

    is_answer: bool = False
    principal: ApiPrincipal | None = None
    has_lease: bool = True
    is_free: bool = False


NO_LEASE = CacheEntry(has_lease=False)
MISS = CacheEntry(is_free=True)
BEING_FILLED = CacheEntry()
INVALID_KEY = CacheEntry(is_answer=True)


def is_on() -> bool:
    return bool(settings.REDIS_URL) and settings.KEY_CACHE_SECONDS > 0


def read(key_hash: str) -> CacheEntry:
    """Look up a key in one round trip."""
    entry, lease = _get_client().execute(lambda redis: redis.mget(ENTRIES + key_hash, LEASE))
    if lease is None:
        return NO_LEASE
    if entry is None:
        return MISS
    if entry == INVALID:
        return INVALID_KEY
    if entry.startswith(MARKER):
        return BEING_FILLED
    return CacheEntry(is_answer=True, principal=decode(entry))


def begin_fill(key_hash: str) -> bytes | None:
    """Reserve the entry before the database is queried. Return None if another fill is in progress."""
    marker = MARKER + secrets.token_bytes(12)
    is_ours = _get_client().execute(
        lambda redis: redis.set(ENTRIES + key_hash, marker, nx=True, ex=FILL_SECONDS)
    )
    return marker if is_ours else None


def end_fill(key_hash: str, marker: bytes, principal: ApiPrincipal | None) -> bool:
    """Store the database's answer, unless the key was invalidated since `begin_fill`.

    Return whether it was stored.
    """
    entry, seconds = (
        (encode(principal), settings.KEY_CACHE_SECONDS) if principal else (INVALID, INVALID_SECONDS)
    )
    return bool(_get_client().run(WRITE_IF_MARKED, [ENTRIES + key_hash], [marker, entry, seconds]))


def invalidate(key_hashes: Iterable[str]) -> None:
    """Remove keys and their fills in progress. Calls Redis even if the circuit breaker is open."""
    names = [ENTRIES + each for each in key_hashes]
    for start in range(0, len(names), BATCH):
        _remove(names[start : start + BATCH])


def clear() -> int:
    """Remove all entries and return their number."""
    return sum(_remove(names) for names in _list_entries())


def count_entries() -> int:
    return sum(len(names) for names in _list_entries())


def begin_lease() -> int | None:
    """Return the start of a new lease by Redis's clock, in ms, or None if another process is renewing it.

    A Redis that was restarted or replaced may hold entries whose invalidation went to another instance, so it
    is cleared first.
    """
    client = _get_client()
    # Expires by itself, in case the process that renews dies.
    if not client.execute(lambda redis: redis.set(RENEWING, b"1", nx=True, px=1000)):
        return None
    seconds, microseconds = client.execute(lambda redis: redis.time())
    run = str(client.execute(lambda redis: redis.info("server"))["run_id"]).encode()
    if client.execute(lambda redis: redis.get(RUN)) != run:
        clear()
        # Only after the entries are gone: a process that dies in between makes the next one clear again.
        client.execute(lambda redis: redis.set(RUN, run))
    return int(seconds) * 1000 + int(microseconds) // 1000


def grant_lease(began_at: int) -> None:
    """Let entries count until the lease that started at that time ends.

    Without effect if that is in the past.
    """
    ends_at = began_at + int(settings.KEY_CACHE_LEASE_SECONDS * 1000)
    _get_client().execute(lambda redis: redis.set(LEASE, b"1", pxat=ends_at))
    _get_client().execute(lambda redis: redis.delete(RENEWING))


def _remove(names: list[str]) -> int:
    removed = int(_get_client().execute(lambda redis: redis.delete(*names), force=True)) if names else 0
    KEY_CACHE_EVICTIONS.inc(removed)
    return removed


def _list_entries() -> Iterator[list[Any]]:
    cursor, scan = 0, partial(Redis.scan, match=f"{ENTRIES}*", count=BATCH)
    while True:
        cursor, names = _get_client().execute(partial(scan, cursor=cursor), force=True)
        yield names
        if cursor == 0:
            return


def _get_client() -> RedisClient:
    client = get_redis_client()
    if client is None:
        raise RedisUnavailable
    return client
