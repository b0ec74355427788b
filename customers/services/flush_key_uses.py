"""Write the buffered times of API-key uses to the database."""

from customers import key_cache, key_uses
from customers.metrics import KEY_CACHE_SIZE
from customers.models import ApiKey

BATCH = 500


def flush_key_uses() -> int:
    """Write the uses recorded since the last call, and return the number of updated keys.

    A later time in the row is kept, so it is safe to repeat. Raises core.redis.client.RedisUnavailable.
    """
    uses = key_uses.take_uses()
    rows = ApiKey.objects.in_bulk(sorted(uses))
    later = [row for row in rows.values() if row.last_used_at is None or row.last_used_at < uses[row.pk].at]
    for row in later:
        row.last_used_at, row.last_used_from = uses[row.pk].at, uses[row.pk].address
    ApiKey.objects.bulk_update(later, ["last_used_at", "last_used_from"], batch_size=BATCH)
    key_uses.drop_taken_uses()
    if key_cache.is_on():
        KEY_CACHE_SIZE.set(key_cache.count_entries())
    return len(later)
