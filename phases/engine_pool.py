"""Runs the engine in child processes with limits on CPU time and memory.

A hostile file costs its child's second of CPU time and delays no other request. See docs/decisions/019 for
the measurements behind the limits, and phases/engine_child.py for the children.
"""

import atexit
import contextlib
import os
import signal
import threading
from collections import deque
from functools import partial
from typing import TypeVar

import structlog
from django.conf import settings

from core.errors import DomainError
from phases.engine_child import Limits
from phases.engine_processes import (
    Child,
    ChildLost,
    ForkServer,
    ForkServerLost,
    TaskFailed,
    TaskOverdue,
    TaskTooLarge,
)
from phases.engine_turns import NoSlotAvailable, SlotQueue
from phases.metrics import ENGINE_BUSY, ENGINE_STOPPED

T = TypeVar("T")

# Wall time as a multiple of a child's CPU limit, which takes longer on a busy machine.
MAX_WALL_FACTOR = 10
# A task above this share of the CPU limit makes its caller suspect: it may be made to stay just below.
SUSPECT_SHARE = 0.5
# The engine itself never ends a process in these ways: something else did, such as the kernel's OOM killer.
EXTERNAL_EXIT_CODES = (-signal.SIGKILL, -signal.SIGTERM, 0)

log = structlog.get_logger(__name__)


class TooExpensive(DomainError):
    """The task would need more time or memory than one request may use."""

    code, status = "VALIDATION_ERROR", 422
    message = "This takes too much time or memory to work on. Send a smaller file, or fewer entries at once."


class EngineBusy(DomainError):
    """All engine processes are busy."""

    code, status, retry_after = "SERVICE_UNAVAILABLE", 503, 2
    message = "Too many files are being worked on. Try again in a moment, with fewer requests at once."


class EnginePool:
    """The children of this process, shared fairly between callers. Safe to use from many threads.

    A request waits `wait_seconds` for a child and `max_seconds` for its answer. At most `requests` wait or
    run at once, as each holds a thread (phases/engine_turns.py).
    """

    def __init__(
        self, *, processes: int, requests: int, limits: Limits, wait_seconds: float, max_seconds: float
    ) -> None:
        self._fork_server = ForkServer(limits)
        self._slots = SlotQueue(
            processes, requests=requests, suspect_seconds=limits.cpu_seconds * SUSPECT_SHARE
        )
        self._idle: deque[Child] = deque()
        self._loading = threading.Lock()
        self._is_loaded = False
        self._wait_seconds = wait_seconds
        self._max_seconds = max_seconds

    def start(self) -> None:
        """Start loading the engine for the children, so that no request waits for it."""
        self._fork_server.start()

    def run(self, task: "partial[T]", *, caller: str) -> T:
        """Run the task in a child. Raises TooExpensive, EngineBusy, and the engine's own errors."""
        self._wait_until_loaded()
        try:
            with self._slots.acquire(caller, seconds=self._wait_seconds):
                return self._run_for(task, caller)
        except NoSlotAvailable as error:
            ENGINE_BUSY.inc()
            raise EngineBusy from error

    def close(self) -> None:
        """End all children and wait until they have ended."""
        while self._idle:
            self._idle.pop().release()
        self._fork_server.close()

    def _wait_until_loaded(self) -> None:
        """Fork the first child, so that loading the engine does not count as a task's time."""
        if self._is_loaded:
            return
        with self._loading, contextlib.suppress(ForkServerLost):  # the task will raise it again
            if not self._is_loaded:
                self._idle.append(self._fork_server.fork())
                self._is_loaded = True

    def _run_for(self, task: "partial[T]", caller: str) -> T:
        """Run the task, and mark its caller as suspect if it was stopped, before their next task starts."""
        try:
            return self._run_with_retry(task, caller)
        except TooExpensive:
            self._slots.mark_suspect(caller)
            raise

    def _run_with_retry(self, task: "partial[T]", caller: str) -> T:
        """Run the task; retry once if the child or its fork server was ended from outside."""
        try:
            return self._run_once(task, caller)
        except (ChildLost, ForkServerLost) as error:
            log.warning("engine_child_lost", error=type(error).__name__)
        try:
            return self._run_once(task, caller)
        except (ChildLost, ForkServerLost) as error:
            log.exception("engine_unavailable")
            raise EngineBusy from error

    def _run_once(self, task: "partial[T]", caller: str) -> T:
        child = self._get_child()
        try:
            answer: T = child.run(task, seconds=self._max_seconds)
            return answer
        except ChildLost as error:
            if error.exit_code in EXTERNAL_EXIT_CODES:
                raise
            reason = "cpu" if error.exit_code == -signal.SIGPROF else "crash"
            raise _record_stop(reason) from error
        except TaskOverdue as error:
            raise _record_stop("overdue") from error
        except TaskTooLarge as error:
            raise _record_stop("memory") from error
        except TaskFailed as error:
            log.error("engine_failed", error=error.kind, frames=error.frames)
            raise
        finally:
            self._slots.record_cost(caller, child.cpu_seconds)
            if child.is_spent:
                child.end()
            else:
                self._idle.append(child)

    def _get_child(self) -> Child:
        try:
            return self._idle.pop()  # the most recently used child: its memory is warm
        except IndexError:
            return self._fork_server.fork()


def run(task: "partial[T]", *, caller: str, is_small: bool) -> T:
    """Run one of the engine's functions and return its result.

    Children are shared fairly between values of `caller`. `is_small`: the task takes at most about 30 ms,
    so it runs in this process. Raises TooExpensive, EngineBusy, TestIntegrationError. Repeating is safe:
    nothing is stored.
    """
    if not (is_small or settings.ENGINE_PROCESSES < 1):
        return _get_pool().run(task, caller=caller)
    try:
        return task()
    except (RecursionError, MemoryError) as error:
        raise _record_stop("memory") from error


def warm_up() -> None:
    """Start loading the engine for the children of this process."""
    if settings.ENGINE_PROCESSES > 0:
        _get_pool().start()


def shut_down() -> None:
    """End this process's children. The next task starts new ones."""
    with _lock:
        if _pools:
            _pools.pop().close()


_lock = threading.Lock()
_pools: list[EnginePool] = []


def _get_pool() -> EnginePool:
    with _lock:
        if not _pools:
            limits = Limits(settings.ENGINE_CPU_SECONDS, settings.ENGINE_MEMORY_MB * 1024 * 1024)
            _pools.append(
                EnginePool(
                    processes=settings.ENGINE_PROCESSES,
                    requests=settings.ENGINE_REQUESTS,
                    limits=limits,
                    wait_seconds=settings.ENGINE_WAIT_SECONDS,
                    max_seconds=limits.cpu_seconds * MAX_WALL_FACTOR,
                )
            )
        return _pools[0]


def _discard_inherited_pool() -> None:
    """Start with an empty pool in a forked process: it has none of its parent's children."""
    global _lock
    _lock = threading.Lock()
    # Another thread of the parent may have held the lock at the fork, and nobody here would release it.
    _pools.clear()


os.register_at_fork(after_in_child=_discard_inherited_pool)
atexit.register(shut_down)


def _record_stop(reason: str) -> TooExpensive:
    ENGINE_STOPPED.labels(reason).inc()
    log.warning("engine_task_stopped", reason=reason)
    return TooExpensive()
