"""Whose turn it is at a few children: a caller never takes them all, and few requests wait. Pure."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

# So long after a task of theirs that was nearly too much, a caller's tasks do not wait for one another.
SUSPECT_SECONDS = 60.0
# What a burst of ordinary requests waits at most, where as many wait already as may: it holds a thread.
BRIEF_SECONDS = 0.25
# Of the processor's time. Callers with a task above it in the last seconds have no ordinary requests.
SLOW_TASK, SLOW_SECONDS = 0.1, 5.0


class NoTurn(Exception):
    """All children were taken, or all that this caller may have."""


class Turns:
    """Of `places`, one is left to the others whatever a caller asks. Safe to use from many threads.

    No more than `requests` run and wait together, apart from one that finds a place free, and from those of
    a short burst, which wait BRIEF_SECONDS at most. A task of `suspect_seconds` of CPU makes a suspect: one
    task at a time, no waiting, and all suspects together leave a place too.
    """

    def __init__(self, places: int, *, requests: int, suspect_seconds: float) -> None:
        self._places = places
        self._share = max(1, places - 1)
        self._requests = requests
        self._suspect_seconds = suspect_seconds
        self._condition = threading.Condition()
        self._running: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._began: list[float] = []
        self._suspects: dict[str, float] = {}
        self._slow: dict[str, float] = {}

    @contextmanager
    def take(self, caller: str, *, seconds: float) -> Iterator[None]:
        """Hold a place. Raises NoTurn after so many seconds at most, and at once where waiting is not due."""
        with self._condition:
            if not self._may_run(caller):
                self._wait(caller, seconds)
            self._running[caller] += 1
            began = time.monotonic()
            self._began.append(began)
        try:
            yield
        finally:
            with self._condition:
                self._began.remove(began)
                _lower(self._running, caller)
                self._condition.notify_all()

    def note(self, caller: str, cpu_seconds: float) -> None:
        """What a task of this caller has cost: more like it may follow."""
        if cpu_seconds > self._suspect_seconds:
            self.suspect(caller)
        if cpu_seconds > SLOW_TASK:
            with self._condition:
                _remember(self._slow, caller, SLOW_SECONDS)
                self._condition.notify_all()

    def suspect(self, caller: str) -> None:
        """A task of this caller had to be stopped, or nearly."""
        with self._condition:
            _remember(self._suspects, caller, SUSPECT_SECONDS)
            self._condition.notify_all()

    def _wait(self, caller: str, seconds: float) -> None:
        """Raises NoTurn where no place is free for the caller in the time that they may wait."""
        is_brief = self._is_crowded(caller)
        until = time.monotonic() + (min(seconds, BRIEF_SECONDS) if is_brief else seconds)
        self._waiting[caller] += 1
        try:
            while not self._may_run(caller):
                left = self._find_time_left(caller, until, is_brief)
                if left <= 0:
                    raise NoTurn
                self._condition.wait(left)
        finally:
            _lower(self._waiting, caller)

    def _find_time_left(self, caller: str, until: float, is_brief: bool) -> float:
        now = time.monotonic()
        if self._is_barred(caller) or (is_brief and self._slow.get(caller, 0) > now):
            return 0
        if is_brief and self._began:
            until = min(until, min(self._began) + BRIEF_SECONDS)
        return until - now

    def _is_crowded(self, caller: str) -> bool:
        """Whether as many requests are here as may be, or one of the caller's waits already."""
        here = self._running.total() + self._waiting.total()
        return here >= self._requests or self._waiting[caller] > 0

    def _may_run(self, caller: str) -> bool:
        is_free = self._running.total() < self._places and self._running[caller] < self._share
        return is_free and not self._is_barred(caller)

    def _is_barred(self, caller: str) -> bool:
        if not self._is_suspect(caller):
            return False
        of_suspects = sum(count for name, count in self._running.items() if self._is_suspect(name))
        return self._running[caller] > 0 or of_suspects >= self._share

    def _is_suspect(self, caller: str) -> bool:
        return self._suspects.get(caller, 0) > time.monotonic()


def _remember(until: dict[str, float], caller: str, seconds: float) -> None:
    """Keep the caller for so long; forget those whose time has passed."""
    now = time.monotonic()
    for name in [name for name, end in until.items() if end <= now]:
        del until[name]
    until[caller] = now + seconds


def _lower(counts: Counter[str], caller: str) -> None:
    counts[caller] -= 1
    if not counts[caller]:
        del counts[caller]
