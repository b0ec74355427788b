"""When keys were last used goes into their rows."""

from customers import key_cache, key_uses
from customers.metrics import KEY_CACHE_SIZE
from customers.models import ApiKey

BATCH = 500


def flush_key_uses() -> int:
    """Write down what was gathered since the last time; return of how many keys. Repeating it is safe.

    A later use that is written down already stays. Raises core.redis.client.RedisUnavailable.
    """
    uses = key_uses.take()
    rows = ApiKey.objects.in_bulk(sorted(uses))
    later = [row for row in rows.values() if row.last_used_at is None or row.last_used_at < uses[row.pk].at]
    for row in later:
        row.last_used_at, row.last_used_from = uses[row.pk].at, uses[row.pk].address
    ApiKey.objects.bulk_update(later, ["last_used_at", "last_used_from"], batch_size=BATCH)
    key_uses.drop()
    if key_cache.is_on():
        KEY_CACHE_SIZE.set(key_cache.count_entries())
    return len(later)
