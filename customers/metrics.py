"""Metrics of API keys. No customer is a label: see their rows instead."""

from prometheus_client import Counter, Gauge

KEY_CACHE_HITS = Counter("rsolv_api_key_cache_hits", "Keys that the cache answered for, unknown ones too.")
KEY_CACHE_MISSES = Counter("rsolv_api_key_cache_misses", "Keys that the database was asked for.")
KEY_CACHE_EVICTIONS = Counter(
    "rsolv_api_key_cache_evictions", "Entries taken out: revoked, changed or cleared; not those that ran out."
)
KEY_CACHE_ERRORS = Counter("rsolv_api_key_cache_errors", "Times that the cache was away when it was asked.")
KEY_CACHE_SIZE = Gauge(
    "rsolv_api_key_cache_size", "Entries in the cache, as last counted.", multiprocess_mode="mostrecent"
)
BAD_KEYS = Counter("rsolv_api_bad_keys", "Requests with a key that is no good.")
