"""Counting in fixed windows, all of a request's limits in one round trip to Redis, else in this process.

A window begins with its first request. Counting is one script, so of any number at once exactly as many pass
as may. A limit is counted only where those before it let the request pass.
"""

import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.redis.client import get_redis_client

PREFIX = "rsolv:limit:1"
MOST_WINDOWS = 100_000

# KEYS: the windows. ARGV: amount and milliseconds of each. Answers count and milliseconds left of each.
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

LOOK = "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in a window of so many seconds; `name` says of what."""

    name: str
    amount: int
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Count:
    """How often a caller has come in the window, this time included, and how long it still lasts."""

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
        """When the window ends, in unix seconds."""
        return int(time.time()) + math.ceil(self.milliseconds_left / 1000)


class _ProcessWindows:
    """The same, of this process alone: for an installation without Redis, or while Redis does not answer."""

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

    def look(self, name: str, limit: Limit) -> tuple[int, int]:
        now = time.monotonic()
        count, ends_at = self._find(name, limit, now)
        return count, round((ends_at - now) * 1000)

    def clear(self) -> None:
        self._windows.clear()

    def _find(self, name: str, limit: Limit, now: float) -> tuple[int, float]:
        if len(self._windows) > MOST_WINDOWS:
            self._make_room(now)
        count, ends_at = self._windows.get(name, (0, 0.0))
        return (count, ends_at) if ends_at > now else (0, now + limit.seconds)

    def _make_room(self, now: float) -> None:
        """Forget windows that have ended; where that is not half of them, also those that began first."""
        live = [each for each in self._windows.items() if each[1][1] > now]
        self._windows = dict(live[-MOST_WINDOWS // 2 :])


in_process = _ProcessWindows()


def add(limits: Sequence[Limit], caller: str) -> list[Count]:
    """Count one request against each limit, up to the first that is exceeded. Raises RedisUnavailable."""
    link = get_redis_client()
    if link is None:
        return add_in_process(limits, caller)
    sizes = [size for limit in limits for size in (limit.amount, limit.seconds * 1000)]
    flat = link.run(COUNT, _list_names(limits, caller), sizes)
    return _to_counts(limits, zip(flat[::2], flat[1::2], strict=True))


def add_in_process(limits: Sequence[Limit], caller: str) -> list[Count]:
    """The same, of this process alone: for limits that must hold while Redis does not answer."""
    return _to_counts(limits, in_process.add(_list_names(limits, caller), limits))


def look(limit: Limit, caller: str) -> Count:
    """Where a caller stands, without counting. Raises core.redis.client.RedisUnavailable."""
    name, link = _name(limit, caller), get_redis_client()
    if link is None:
        return Count(limit, *in_process.look(name, limit))
    found, left = link.run(LOOK, [name], [])
    return Count(limit, int(found or 0), left if left > 0 else limit.seconds * 1000)


def _to_counts(limits: Sequence[Limit], found: Iterable[tuple[int, int]]) -> list[Count]:
    return [Count(limit, *each) for limit, each in zip(limits, found, strict=False)]


def _list_names(limits: Sequence[Limit], caller: str) -> list[str]:
    return [_name(limit, caller) for limit in limits]


def _name(limit: Limit, caller: str) -> str:
    return f"{PREFIX}:{limit.name}:{caller}"
