"""A Redis cache that falls back to process memory while Redis is unavailable."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from core.redis.client import RedisClient, RedisUnavailable, connect, list_timeouts
from core.redis.serializer import UnreadableValue

# Large enough that nobody can evict the count of their own attempts from a process's cache.
MAX_ENTRIES = 20_000
MISSING = object()


def _with_fallback(name: str) -> Callable[..., Any]:
    """Return the method of RedisCache, with LocMemCache's as the fallback while Redis is unavailable."""
    call_redis, call_fallback = getattr(RedisCache, name), getattr(LocMemCache, name)

    @wraps(call_redis)
    def call(cache: "FallbackRedisCache", *args: Any, **kwargs: Any) -> Any:
        try:
            return cache.client_guard.call(lambda: call_redis(cache, *args, **kwargs))
        except RedisUnavailable:
            return call_fallback(cache.fallback, *args, **kwargs)

    return call


class FallbackRedisCache(RedisCache):
    """A Redis cache with short timeouts, so that an unavailable Redis blocks no login and lifts no limit.

    Until Redis answers again, each process caches for itself: rate limits counted here, such as those of
    wrong passwords, then hold per process and start from zero.
    """

    client_guard: RedisClient
    fallback: LocMemCache

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._options: dict[str, Any] = list_timeouts() | params.get("OPTIONS", {})
        self.client_guard = connect(server)
        self.fallback = LocMemCache(f"in place of {server}", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """Return the value. One that this cache has not written is deleted and counts as missing."""
        try:
            return self._get(key, default, version)
        except UnreadableValue:
            self.delete(key, version=version)
            return default

    def get_many(self, keys: Any, version: Any = None) -> dict[Any, Any]:
        keys = list(keys)
        try:
            found: dict[Any, Any] = self._get_many(keys, version)
        except UnreadableValue:
            # One at a time, so that only the unreadable values are missing.
            each = {key: self.get(key, MISSING, version) for key in keys}
            found = {key: value for key, value in each.items() if value is not MISSING}
        return found

    _get = _with_fallback("get")
    _get_many = _with_fallback("get_many")
    add = _with_fallback("add")
    set = _with_fallback("set")
    touch = _with_fallback("touch")
    delete = _with_fallback("delete")
    has_key = _with_fallback("has_key")
    incr = _with_fallback("incr")
    set_many = _with_fallback("set_many")
    delete_many = _with_fallback("delete_many")
    clear = _with_fallback("clear")
