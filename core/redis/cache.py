"""The cache in Redis, and a cache of this process's own that takes its place while Redis does not answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from core.redis.client import RedisClient, RedisUnavailable, connect, list_timeouts
from core.redis.serializer import UnreadableValue

# Enough that nobody can push the count of their own attempts out of a process's cache.
MOST_ENTRIES = 20_000
MISSING = object()


def _with_stand_in(name: str) -> Callable[..., Any]:
    """The method of Redis's cache; where Redis does not answer, the stand-in's."""
    ask_redis, ask_stand_in = getattr(RedisCache, name), getattr(LocMemCache, name)

    @wraps(ask_redis)
    def ask(cache: "ForgivingRedisCache", *args: Any, **kwargs: Any) -> Any:
        try:
            return cache.link.attempt(lambda: ask_redis(cache, *args, **kwargs))
        except RedisUnavailable:
            return ask_stand_in(cache.stand_in, *args, **kwargs)

    return ask


class ForgivingRedisCache(RedisCache):
    """Redis with short timeouts. Nobody is refused a login because it is unavailable, and no limit ends.

    Until it answers again, each process caches for itself: limits that are counted here, as those of wrong
    passwords are, then hold for each process, and begin at none.
    """

    link: RedisClient
    stand_in: LocMemCache

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._options: dict[str, Any] = list_timeouts() | params.get("OPTIONS", {})
        self.link = connect(server)
        self.stand_in = LocMemCache(f"in place of {server}", {"OPTIONS": {"MAX_ENTRIES": MOST_ENTRIES}})

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """A value that this cache has not written is deleted, and missed."""
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
            each = {key: self.get(key, MISSING, version) for key in keys}
            found = {key: value for key, value in each.items() if value is not MISSING}
        return found

    _get = _with_stand_in("get")
    _get_many = _with_stand_in("get_many")
    add = _with_stand_in("add")
    set = _with_stand_in("set")
    touch = _with_stand_in("touch")
    delete = _with_stand_in("delete")
    has_key = _with_stand_in("has_key")
    incr = _with_stand_in("incr")
    set_many = _with_stand_in("set_many")
    delete_many = _with_stand_in("delete_many")
    clear = _with_stand_in("clear")
