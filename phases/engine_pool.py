"""Runs the engine where it can be stopped: what may cost more than a moment, in a child with limits.

A hostile file costs its child's second of the processor and no more, and holds no other request up. See
docs/decisions/019 for the figures behind the limits, and phases/engine_child.py for the children.
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
from phases.engine_turns import NoTurn, Turns
from phases.metrics import ENGINE_BUSY, ENGINE_STOPPED

T = TypeVar("T")

# A child's limit is time of the processor: on a busy machine it takes longer, but not for ever.
MOST_WALL = 10
# A task that takes this share of a child's time is worth suspicion: it was made to be just below the limit.
SUSPECT_SHARE = 0.5
# Nothing that the engine does ends a process by these: somebody else did, such as the kernel short of memory.
FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, 0)

log = structlog.get_logger(__name__)


class TooExpensive(DomainError):
    """The engine would need more time or memory for this than any request may have."""

    code, status = "VALIDATION_ERROR", 422
    message = "This takes too much time or memory to work on. Send a smaller file, or fewer entries at once."


class EngineBusy(DomainError):
    """The engine's processes are taken."""

    code, status, retry_after = "SERVICE_UNAVAILABLE", 503, 2
    message = "Too many files are being worked on. Try again in a moment, with fewer requests at once."


class EnginePool:
    """The children of this process, and whose turn it is. Safe to use from many threads.

    A request waits `wait_seconds` for a child, and `most_seconds` for its answer. No more than `requests`
    wait so long or run: each holds a thread that others need (phases/engine_turns.py).
    """

    def __init__(
        self, *, processes: int, requests: int, limits: Limits, wait_seconds: float, most_seconds: float
    ) -> None:
        self._fork_server = ForkServer(limits)
        self._turns = Turns(processes, requests=requests, suspect_seconds=limits.cpu_seconds * SUSPECT_SHARE)
        self._idle: deque[Child] = deque()
        self._loading = threading.Lock()
        self._is_loaded = False
        self._wait_seconds = wait_seconds
        self._most_seconds = most_seconds

    def start(self) -> None:
        """Begin to load the engine for the children, so that no request waits for it."""
        self._fork_server.start()

    def run(self, task: "partial[T]", *, caller: str) -> T:
        """What a child makes of the task. Raises TooExpensive, EngineBusy, and what the engine raises."""
        self._await_loading()
        try:
            with self._turns.take(caller, seconds=self._wait_seconds):
                return self._work(task, caller)
        except NoTurn as error:
            ENGINE_BUSY.inc()
            raise EngineBusy from error

    def close(self) -> None:
        """End all children and wait for that."""
        while self._idle:
            self._idle.pop().forget()
        self._fork_server.close()

    def _await_loading(self) -> None:
        """Have the first child, so that the engine's loading counts as nobody's task."""
        if self._is_loaded:
            return
        with self._loading, contextlib.suppress(ForkServerLost):  # the task meets it again
            if not self._is_loaded:
                self._idle.append(self._fork_server.fork())
                self._is_loaded = True

    def _work(self, task: "partial[T]", caller: str) -> T:
        """Also learns of the caller what to expect, before their next request gets the place."""
        try:
            return self._ask_twice(task, caller)
        except TooExpensive:
            self._turns.suspect(caller)
            raise

    def _ask_twice(self, task: "partial[T]", caller: str) -> T:
        """A child that somebody ended, or whose fork server has ended, is replaced once."""
        try:
            return self._ask(task, caller)
        except (ChildLost, ForkServerLost) as error:
            log.warning("engine_child_lost", error=type(error).__name__)
        try:
            return self._ask(task, caller)
        except (ChildLost, ForkServerLost) as error:
            log.exception("engine_unavailable")
            raise EngineBusy from error

    def _ask(self, task: "partial[T]", caller: str) -> T:
        child = self._take_child()
        try:
            answer: T = child.ask(task, seconds=self._most_seconds)
            return answer
        except ChildLost as error:
            if error.exit_code in FROM_OUTSIDE:
                raise
            reason = "cpu" if error.exit_code == -signal.SIGPROF else "crash"
            raise _stop(reason) from error
        except TaskOverdue as error:
            raise _stop("overdue") from error
        except TaskTooLarge as error:
            raise _stop("memory") from error
        except TaskFailed as error:
            log.error("engine_failed", error=error.kind, places=error.places)
            raise
        finally:
            self._turns.note(caller, child.cpu_seconds)
            if child.is_spent:
                child.end()
            else:
                self._idle.append(child)

    def _take_child(self) -> Child:
        try:
            return self._idle.pop()  # the one that worked last: its memory is warm
        except IndexError:
            return self._fork_server.fork()


def run(task: "partial[T]", *, caller: str, is_small: bool) -> T:
    """What one of the engine's functions answers, or its TestIntegrationError.

    `caller` shares the children with the other callers. `is_small`: what is asked can't cost more than some
    30 ms, so that no child is needed. Raises TooExpensive, EngineBusy. Repeating is safe: nothing is kept.
    """
    if not (is_small or settings.ENGINE_PROCESSES < 1):
        return _find_pool().run(task, caller=caller)
    try:
        return task()
    except (RecursionError, MemoryError) as error:
        raise _stop("memory") from error


def warm_up() -> None:
    """Begin to load the engine for the children of this process."""
    if settings.ENGINE_PROCESSES > 0:
        _find_pool().start()


def shut_down() -> None:
    """End this process's children. The next task makes new ones."""
    with _lock:
        if _pools:
            _pools.pop().close()


_lock = threading.Lock()
_pools: list[EnginePool] = []


def _find_pool() -> EnginePool:
    with _lock:
        if not _pools:
            limits = Limits(settings.ENGINE_CPU_SECONDS, settings.ENGINE_MEMORY_MB * 1024 * 1024)
            _pools.append(
                EnginePool(
                    processes=settings.ENGINE_PROCESSES,
                    requests=settings.ENGINE_REQUESTS,
                    limits=limits,
                    wait_seconds=settings.ENGINE_WAIT_SECONDS,
                    most_seconds=limits.cpu_seconds * MOST_WALL,
                )
            )
        return _pools[0]


def _forget_parents_pool() -> None:
    """A process that was forked from this one has none of its children, and makes its own."""
    global _lock
    _lock = threading.Lock()
    _pools.clear()


os.register_at_fork(after_in_child=_forget_parents_pool)
atexit.register(shut_down)


def _stop(reason: str) -> TooExpensive:
    ENGINE_STOPPED.labels(reason).inc()
    log.warning("engine_task_stopped", reason=reason)
    return TooExpensive()
