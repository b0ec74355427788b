"""The key cache: whose a key is, kept in Redis under the key's SHA-256. See docs/decisions/013.

An entry counts only while the lease runs. A lease is granted for KEY_CACHE_LEASE_SECONDS from an instant
before the database was asked what must be forgotten: what was revoked earlier does not count, whoever did it.
A fill writes only where its own marker still stands; what is forgotten takes the marker with it.

Functions that ask Redis raise core.redis.client.RedisUnavailable.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis
from django.conf import settings

from core.redis.client import RedisClient, RedisUnavailable, get_redis_client
from customers.metrics import KEY_CACHE_EVICTIONS

from .principals import ApiPrincipal, decode, encode

# The number is the shape of an entry: another release reads none of another shape.
PREFIX = "rsolv:keys:2"
ENTRIES = f"{PREFIX}:of:"
LEASE = f"{PREFIX}:lease"
RENEWING = f"{PREFIX}:renewing"
RUN = f"{PREFIX}:run"

UNKNOWN = b"-"
MARK = b"?"
# How long a fill may take before another may begin, and how long a key that is no good is remembered.
FILL_SECONDS = 5
UNKNOWN_SECONDS = 10
BATCH = 1000

WRITE_IF_MARKED = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the cache knows of a key. `is_answer`: whose it is, or with `caller` None that it is no good."""

    is_answer: bool = False
    caller: ApiPrincipal | None = None
    has_lease: bool = True
    is_free: bool = False


NO_LEASE = Reading(has_lease=False)
NOTHING = Reading(is_free=True)
BEING_FILLED = Reading()
NO_GOOD = Reading(is_answer=True)


def is_on() -> bool:
    return bool(settings.REDIS_URL) and settings.KEY_CACHE_SECONDS > 0


def read(key_hash: str) -> Reading:
    """One round trip."""
    entry, lease = _link().execute(lambda client: client.mget(ENTRIES + key_hash, LEASE))
    if lease is None:
        return NO_LEASE
    if entry is None:
        return NOTHING
    if entry == UNKNOWN:
        return NO_GOOD
    if entry.startswith(MARK):
        return BEING_FILLED
    return Reading(is_answer=True, caller=decode(entry))


def begin_fill(key_hash: str) -> bytes | None:
    """Mark the key before the database is asked; None where another fill has."""
    marker = MARK + secrets.token_bytes(12)
    is_ours = _link().execute(lambda client: client.set(ENTRIES + key_hash, marker, nx=True, ex=FILL_SECONDS))
    return marker if is_ours else None


def end_fill(key_hash: str, marker: bytes, caller: ApiPrincipal | None) -> bool:
    """Write what the database said, unless the key was forgotten meanwhile."""
    entry, seconds = (encode(caller), settings.KEY_CACHE_SECONDS) if caller else (UNKNOWN, UNKNOWN_SECONDS)
    return bool(_link().run(WRITE_IF_MARKED, [ENTRIES + key_hash], [marker, entry, seconds]))


def forget(key_hashes: Iterable[str]) -> None:
    """Take keys out, with every fill of them that is under way. Asks also a Redis that was just away."""
    names = [ENTRIES + each for each in key_hashes]
    for start in range(0, len(names), BATCH):
        _remove(names[start : start + BATCH])


def clear() -> int:
    """Take everything out; return how many entries there were."""
    return sum(_remove(names) for names in _list_entries())


def count_entries() -> int:
    return sum(len(names) for names in _list_entries())


def begin_lease() -> int | None:
    """The instant, by Redis's clock in ms, that a new lease counts from; None where another is making one.

    A Redis that was started anew, or is another one, may know what ours was told to forget: it is cleared.
    """
    link = _link()
    if not link.execute(lambda client: client.set(RENEWING, b"1", nx=True, px=1000)):
        return None
    seconds, microseconds = link.execute(lambda client: client.time())
    run = str(link.execute(lambda client: client.info("server"))["run_id"]).encode()
    if link.execute(lambda client: client.get(RUN)) != run:
        clear()
        link.execute(lambda client: client.set(RUN, run))
    return int(seconds) * 1000 + int(microseconds) // 1000


def grant_lease(began_at: int) -> None:
    """Let entries count until the lease that began at that instant ends. Where that is past, none do."""
    ends_at = began_at + int(settings.KEY_CACHE_LEASE_SECONDS * 1000)
    _link().execute(lambda client: client.set(LEASE, b"1", pxat=ends_at))
    _link().execute(lambda client: client.delete(RENEWING))


def _remove(names: list[str]) -> int:
    removed = int(_link().execute(lambda client: client.delete(*names), force=True)) if names else 0
    KEY_CACHE_EVICTIONS.inc(removed)
    return removed


def _list_entries() -> Iterator[list[Any]]:
    cursor, scan = 0, partial(redis.Redis.scan, match=f"{ENTRIES}*", count=BATCH)
    while True:
        cursor, names = _link().execute(partial(scan, cursor=cursor), force=True)
        yield names
        if cursor == 0:
            return


def _link() -> RedisClient:
    link = get_redis_client()
    if link is None:
        raise RedisUnavailable
    return link
