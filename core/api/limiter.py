"""Fixed-window rate limits: all limits of a request in one round trip to Redis, or in process memory.

A window starts with its first request. One Lua script counts, so concurrent requests cannot exceed a limit. A
limit is counted only if all limits before it let the request pass.
"""

import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.redis.client import get_redis_client

PREFIX = "rsolv:limit:1"
MAX_WINDOWS = 100_000

# KEYS: the windows. ARGV: amount and length in ms of each. Returns count and remaining ms of each. PTTL is
# negative for a counter without an expiry, which INCR has just created.
COUNT = """
local answer = {}
for i, window in ipairs(KEYS) do
  local count = redis.call('INCR', window)
  local left = redis.call('PTTL', window)
  if left < 0 then
    redis.call('PEXPIRE', window, ARGV[2 * i])
    left = tonumber(ARGV[2 * i])
  end
  answer[2 * i - 1], answer[2 * i] = count, left
  if count > tonumber(ARGV[2 * i - 1]) then break end
end
return answer
"""

PEEK = "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}"


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` requests in a window of `seconds`. `name` tells limits apart in Redis."""

    name: str
    amount: int
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Count:
    """A caller's requests in the current window, this one included, and the milliseconds until it ends."""

    limit: Limit
    count: int
    milliseconds_left: int

    @property
    def is_over(self) -> bool:
        return self.count > self.limit.amount

    @property
    def remaining(self) -> int:
        return max(0, self.limit.amount - self.count)

    @property
    def reset_at(self) -> int:
        """When the window ends, in Unix seconds."""
        return int(time.time()) + math.ceil(self.milliseconds_left / 1000)


class _InProcessWindows:
    """The same limits in the memory of this process, for when Redis is unavailable or not configured."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}

    def add(self, names: Sequence[str], limits: Sequence[Limit]) -> list[tuple[int, int]]:
        found, now = [], time.monotonic()
        with self._lock:
            for name, limit in zip(names, limits, strict=True):
                count, ends_at = self._find(name, limit, now)
                self._windows[name] = count + 1, ends_at
                found.append((count + 1, round((ends_at - now) * 1000)))
                if count >= limit.amount:
                    break
        return found

    def peek(self, name: str, limit: Limit) -> tuple[int, int]:
        now = time.monotonic()
        count, ends_at = self._find(name, limit, now)
        return count, round((ends_at - now) * 1000)

    def clear(self) -> None:
        self._windows.clear()

    def _find(self, name: str, limit: Limit, now: float) -> tuple[int, float]:
        if len(self._windows) > MAX_WINDOWS:
            self._evict(now)
        count, ends_at = self._windows.get(name, (0, 0.0))
        return (count, ends_at) if ends_at > now else (0, now + limit.seconds)

    def _evict(self, now: float) -> None:
        """Drop windows that have ended. If too many remain, drop the oldest as well."""
        live = [each for each in self._windows.items() if each[1][1] > now]
        # To half the limit: otherwise the next request would evict again.
        self._windows = dict(live[-MAX_WINDOWS // 2 :])


in_process = _InProcessWindows()


def count_request(limits: Sequence[Limit], caller: str) -> list[Count]:
    """Count one request against each limit, up to and including the first that is exceeded.

    Returns a Count for each limit that was counted. Raises RedisUnavailable.
    """
    redis_client = get_redis_client()
    if redis_client is None:
        return count_request_in_process(limits, caller)
    sizes = [size for limit in limits for size in (limit.amount, limit.seconds * 1000)]
    flat = redis_client.run(COUNT, _list_names(limits, caller), sizes)
    return _to_counts(limits, zip(flat[::2], flat[1::2], strict=True))


def count_request_in_process(limits: Sequence[Limit], caller: str) -> list[Count]:
    """Count in this process alone, for limits that must hold while Redis is unavailable."""
    return _to_counts(limits, in_process.add(_list_names(limits, caller), limits))


def peek(limit: Limit, caller: str) -> Count:
    """Return a caller's count without counting a request. Raises RedisUnavailable."""
    name, redis_client = _name(limit, caller), get_redis_client()
    if redis_client is None:
        return Count(limit, *in_process.peek(name, limit))
    found, left = redis_client.run(PEEK, [name], [])
    return Count(limit, int(found or 0), left if left > 0 else limit.seconds * 1000)


def _to_counts(limits: Sequence[Limit], found: Iterable[tuple[int, int]]) -> list[Count]:
    # `found` is shorter if a limit was exceeded: the limits after it were not counted.
    return [Count(limit, *each) for limit, each in zip(limits, found, strict=False)]


def _list_names(limits: Sequence[Limit], caller: str) -> list[str]:
    return [_name(limit, caller) for limit in limits]


def _name(limit: Limit, caller: str) -> str:
    return f"{PREFIX}:{limit.name}:{caller}"
