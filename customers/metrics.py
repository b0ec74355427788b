"""Metrics of API keys. No customer is a label."""

from prometheus_client import Counter, Gauge

KEY_CACHE_HITS = Counter("rsolv_api_key_cache_hits", "Lookups answered by the cache, including invalid keys.")
KEY_CACHE_MISSES = Counter("rsolv_api_key_cache_misses", "Lookups that queried the database.")
KEY_CACHE_EVICTIONS = Counter(
    "rsolv_api_key_cache_evictions", "Entries removed by a revocation, change or clear."
)
KEY_CACHE_ERRORS = Counter("rsolv_api_key_cache_errors", "Calls that failed: Redis was unavailable.")
KEY_CACHE_SIZE = Gauge(
    "rsolv_api_key_cache_size", "Entries in the cache, as last counted.", multiprocess_mode="mostrecent"
)
BAD_KEYS = Counter("rsolv_api_bad_keys", "Requests with an invalid key.")
