"""The cache in Redis, and a cache of this process's own that takes its place while Redis does not answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from rsolv.redis_link import Link, RedisAway, connect, list_timeouts

# Enough that nobody can push the count of their own attempts out of a process's cache.
MOST_ENTRIES = 20_000


def _with_stand_in(name: str) -> Callable[..., Any]:
    """The method of Redis's cache; where Redis does not answer, the stand-in's."""
    ask_redis, ask_stand_in = getattr(RedisCache, name), getattr(LocMemCache, name)

    @wraps(ask_redis)
    def ask(cache: "ForgivingRedisCache", *args: Any, **kwargs: Any) -> Any:
        try:
            return cache.link.attempt(lambda: ask_redis(cache, *args, **kwargs))
        except RedisAway:
            return ask_stand_in(cache.stand_in, *args, **kwargs)

    return ask


class ForgivingRedisCache(RedisCache):
    """Redis with short timeouts. Nobody is refused a login because it is unavailable, and no limit ends.

    Until it answers again, each process caches for itself: limits that are counted here, as those of wrong
    passwords are, then hold for each process, and begin at none.
    """

    link: Link
    stand_in: LocMemCache

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._options: dict[str, Any] = list_timeouts() | params.get("OPTIONS", {})
        self.link = connect(server)
        self.stand_in = LocMemCache(f"in place of {server}", {"OPTIONS": {"MAX_ENTRIES": MOST_ENTRIES}})

    add = _with_stand_in("add")
    get = _with_stand_in("get")
    set = _with_stand_in("set")
    touch = _with_stand_in("touch")
    delete = _with_stand_in("delete")
    get_many = _with_stand_in("get_many")
    has_key = _with_stand_in("has_key")
    incr = _with_stand_in("incr")
    set_many = _with_stand_in("set_many")
    delete_many = _with_stand_in("delete_many")
    clear = _with_stand_in("clear")
