"""Buffer the times of API-key uses in Redis, so that a request writes no row. Losing some is acceptable."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.redis.client import RedisUnavailable, get_redis_client

USES = "rsolv:key-uses:1"
TAKEN = f"{USES}:taken"
# A process reports the use of a key again only after this time.
PRECISION = timedelta(seconds=15)
MAX_REMEMBERED = 20_000

_reported: dict[UUID, datetime] = {}


@dataclass(frozen=True)
class KeyUse:
    at: datetime
    address: str | None


def record_use(key_id: UUID, at: datetime, address: str | None) -> None:
    """Record the use of a key, in one round trip at most every PRECISION."""
    reported_at = _reported.get(key_id)
    if reported_at is not None and at - reported_at < PRECISION:
        return
    redis_client = get_redis_client()
    if redis_client is None:
        return
    if len(_reported) >= MAX_REMEMBERED:
        # Costs one round trip per key, and loses nothing.
        _reported.clear()
    _reported[key_id] = at
    with suppress(RedisUnavailable):
        use = json.dumps([at.timestamp(), address])
        redis_client.execute(lambda redis: redis.hset(USES, key_id.hex, use))


def take_uses() -> dict[UUID, KeyUse]:
    """Return the recorded uses. Repeats them until `drop_taken_uses` is called.

    Raises RedisUnavailable.
    """
    redis_client = get_redis_client()
    if redis_client is None:
        return {}
    if not redis_client.execute(lambda redis: redis.exists(TAKEN)):
        if not redis_client.execute(lambda redis: redis.exists(USES)):
            return {}
        # RENAME takes all uses in one step. Later ones start a new hash.
        redis_client.execute(lambda redis: redis.rename(USES, TAKEN))
    return {
        UUID(key_id.decode()): _read(text)
        for key_id, text in redis_client.execute(lambda redis: redis.hgetall(TAKEN)).items()
    }


def drop_taken_uses() -> None:
    """Delete the uses that `take_uses` returned. Raises RedisUnavailable."""
    redis_client = get_redis_client()
    if redis_client is not None:
        redis_client.execute(lambda redis: redis.delete(TAKEN))


def _read(text: bytes) -> KeyUse:
    at, address = json.loads(text)
    return KeyUse(datetime.fromtimestamp(at, UTC), address)
