"""Shares a few slots between callers: no caller gets all of them, and few requests wait. Pure."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

# How long a caller stays suspect after a task that was stopped, or nearly.
SUSPECT_SECONDS = 60.0
# The longest wait of a request beyond the number that may wait: it holds a thread.
BURST_WAIT_SECONDS = 0.25
# CPU seconds of a slow task, and how long its caller's requests beyond that number do not wait at all.
SLOW_TASK_SECONDS, SLOW_MEMORY_SECONDS = 0.1, 5.0


class NoSlotAvailable(Exception):
    """All slots are in use, or all that this caller may have."""


class SlotQueue:
    """Slots for running tasks; one is always left to the other callers. Safe to use from many threads.

    At most `requests` run and wait together, apart from one that finds a free slot, and from those of a
    short burst, which wait at most BURST_WAIT_SECONDS. A task of more than `suspect_seconds` of CPU time
    makes its caller suspect: one task at a time, no waiting, and all suspects together leave one slot free.
    """

    def __init__(self, slots: int, *, requests: int, suspect_seconds: float) -> None:
        self._slots = slots
        self._max_per_caller = max(1, slots - 1)
        self._requests = requests
        self._suspect_seconds = suspect_seconds
        self._condition = threading.Condition()
        self._running: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._began: list[float] = []
        self._suspects: dict[str, float] = {}
        self._slow: dict[str, float] = {}

    @contextmanager
    def acquire(self, caller: str, *, seconds: float) -> Iterator[None]:
        """Hold a slot. Raises NoSlotAvailable after `seconds`, or at once where waiting is not allowed."""
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
                _decrement(self._running, caller)
                self._condition.notify_all()

    def record_cost(self, caller: str, cpu_seconds: float) -> None:
        """Record the CPU time of a task of this caller."""
        if cpu_seconds > self._suspect_seconds:
            self.mark_suspect(caller)
        if cpu_seconds > SLOW_TASK_SECONDS:
            with self._condition:
                _remember_until(self._slow, caller, SLOW_MEMORY_SECONDS)
                self._condition.notify_all()

    def mark_suspect(self, caller: str) -> None:
        """Mark the caller as suspect: a task of theirs was stopped, or nearly."""
        with self._condition:
            _remember_until(self._suspects, caller, SUSPECT_SECONDS)
            self._condition.notify_all()

    def count_waiting(self, caller: str) -> int:
        """Return how many requests of this caller wait for a slot."""
        with self._condition:
            return self._waiting[caller]

    def _wait(self, caller: str, seconds: float) -> None:
        """Raises NoSlotAvailable where no slot becomes free for the caller in time."""
        is_brief = self._is_full(caller)
        deadline = time.monotonic() + (min(seconds, BURST_WAIT_SECONDS) if is_brief else seconds)
        self._waiting[caller] += 1
        try:
            while not self._may_run(caller):
                left = self._seconds_left(caller, deadline, is_brief)
                if left <= 0:
                    raise NoSlotAvailable
                self._condition.wait(left)
        finally:
            _decrement(self._waiting, caller)

    def _seconds_left(self, caller: str, deadline: float, is_brief: bool) -> float:
        now = time.monotonic()
        if self._is_blocked(caller) or (is_brief and self._slow.get(caller, 0) > now):
            return 0
        if is_brief and self._began:
            # Behind a task that has already run so long, waiting for the next free slot would take too long.
            deadline = min(deadline, min(self._began) + BURST_WAIT_SECONDS)
        return deadline - now

    def _is_full(self, caller: str) -> bool:
        """Return whether the maximum number of requests is here, or the caller already has one waiting."""
        here = self._running.total() + self._waiting.total()
        return here >= self._requests or self._waiting[caller] > 0

    def _may_run(self, caller: str) -> bool:
        is_free = self._running.total() < self._slots and self._running[caller] < self._max_per_caller
        return is_free and not self._is_blocked(caller)

    def _is_blocked(self, caller: str) -> bool:
        if not self._is_suspect(caller):
            return False
        of_suspects = sum(count for name, count in self._running.items() if self._is_suspect(name))
        return self._running[caller] > 0 or of_suspects >= self._max_per_caller

    def _is_suspect(self, caller: str) -> bool:
        return self._suspects.get(caller, 0) > time.monotonic()


def _remember_until(deadlines: dict[str, float], caller: str, seconds: float) -> None:
    """Remember the caller for so long, and forget those whose time has passed."""
    now = time.monotonic()
    for name in [name for name, end in deadlines.items() if end <= now]:
        del deadlines[name]
    deadlines[caller] = now + seconds


def _decrement(counts: Counter[str], caller: str) -> None:
    counts[caller] -= 1
    if not counts[caller]:
        del counts[caller]
