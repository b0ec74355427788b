"""Whose turn it is at a few children: a caller never takes them all, and waits only so long. Pure."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

# So long after a task of theirs had to be stopped, a caller's tasks do not wait for one another.
SUSPECT_SECONDS = 60.0


class NoTurn(Exception):
    """All children were taken, or all that this caller may have."""


class Turns:
    """Of `places`, one is left to the others whatever a caller asks. Safe to use from many threads."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._share = max(1, places - 1)
        self._condition = threading.Condition()
        self._running: Counter[str] = Counter()
        self._suspects: dict[str, float] = {}

    @contextmanager
    def take(self, caller: str, *, seconds: float) -> Iterator[None]:
        """Hold a place. Raises NoTurn after so many seconds; for a suspect with a task under way at once."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_free(caller) or self._is_barred(caller), seconds)
            if not self._is_free(caller) or self._is_barred(caller):
                raise NoTurn
            self._running[caller] += 1
        try:
            yield
        finally:
            with self._condition:
                self._running[caller] -= 1
                if not self._running[caller]:
                    del self._running[caller]
                self._condition.notify_all()

    def suspect(self, caller: str) -> None:
        """A task of this caller had to be stopped: more like it may follow."""
        with self._condition:
            now = time.monotonic()
            self._suspects = {name: until for name, until in self._suspects.items() if until > now}
            self._suspects[caller] = now + SUSPECT_SECONDS
            self._condition.notify_all()

    def _is_free(self, caller: str) -> bool:
        return self._running.total() < self._places and self._running[caller] < self._share

    def _is_barred(self, caller: str) -> bool:
        is_suspect = self._suspects.get(caller, 0) > time.monotonic()
        return is_suspect and self._running[caller] > 0
