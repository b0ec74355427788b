"""The engine in its own processes: a fork server that has loaded it, and the children that it forks.

`python -m phases.engine_child FD SECONDS BYTES` runs a fork server: one thread, with the engine loaded but
without Django, settings or secrets. Over the socket FD it receives requests to fork a child for a
connection, and to end one. A child runs one task at a time, and the kernel kills it at its limits. It ends
with its fork server, which ends with the process that started it. Linux only. See docs/decisions/019.
"""

import contextlib
import ctypes
import gc
import os
import pickle
import resource
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

if __name__ == "__main__":
    # The engine needs core.errors, but not the Celery application that rsolv/__init__.py creates.
    bare_package = ModuleType("rsolv")
    bare_package.__path__ = [str(Path(__file__).resolve().parents[1] / "rsolv")]
    sys.modules["rsolv"] = bare_package

import phases.test_integration.services  # noqa: F401 - loaded once, for every child
from phases.test_integration.errors import TestIntegrationError

PR_SET_PDEATHSIG = 1
# After this many tasks, or this growth as a share of its memory limit, a child is replaced.
MAX_TASKS = 1_000
MAX_MEMORY_GROWTH = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one task; `memory_bytes` is on top of what the loaded engine uses."""

    cpu_seconds: float
    memory_bytes: int


def run_fork_server(control: socket.socket, limits: Limits) -> NoReturn:
    """Fork and end children as the other end of the socket requests, until it closes."""
    # Ctrl-C reaches every process of a terminal. This one ends when its parent closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The collector leaves frozen objects alone, so that children go on sharing their memory pages.
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    children: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1024, 1)
        if not message:
            os._exit(0)
        if descriptors:
            answer = _fork(control, descriptors[0], limits)
            children.add(answer)
        else:
            answer = _kill(int(message), children)
        control.send(b"%d" % answer)


def _fork(control: socket.socket, descriptor: int, limits: Limits) -> int:
    fork_server = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            control.close()
            _exit_with(fork_server)
            serve(Connection(descriptor), limits)
        finally:
            # A child must never return into the loop of the fork server.
            os._exit(1)
    os.close(descriptor)
    return child


def _kill(child: int, children: set[int]) -> int:
    """Kill a child that may have ended already; return its exit code as `os.waitstatus_to_exitcode` does.

    A child of an earlier fork server was killed with it, and its process id may have been reused since.
    """
    if child not in children:
        return -signal.SIGKILL
    children.remove(child)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _exit_with(fork_server: int) -> None:
    """Make the kernel kill this process when its fork server ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The fork server may have ended before the call took effect.
    if os.getppid() != fork_server:
        os._exit(0)


def serve(connection: Connection, limits: Limits) -> NoReturn:
    """Run tasks until the other end closes the connection.

    Each answer ends with the CPU seconds of the task, and whether it is the last one.
    """
    page = resource.getpagesize()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * page
    resource.setrlimit(resource.RLIMIT_AS, (used + limits.memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    max_kilobytes = _peak_memory_kilobytes() + int(limits.memory_bytes * MAX_MEMORY_GROWTH / 1024)
    for number in range(1, MAX_TASKS + 1):
        try:
            task = connection.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)
        # ITIMER_PROF counts CPU time; its signal ends the process even inside C code.
        signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
        began = time.process_time()
        answer = _run_task(task)
        cpu_seconds = time.process_time() - began
        is_last = answer[0] == "memory" or number == MAX_TASKS or _peak_memory_kilobytes() > max_kilobytes
        # Still under the timer: a large answer takes time to pickle too.
        sent = pickle.dumps((*answer, cpu_seconds, is_last))
        signal.setitimer(signal.ITIMER_PROF, 0)
        connection.send_bytes(sent)
        if is_last:
            break
        del task, answer, sent
    os._exit(0)


def _peak_memory_kilobytes() -> int:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _run_task(task: bytes) -> tuple[str, Any]:
    """Return the outcome and its value; of an unexpected error no message, which may hold customer code."""
    try:
        return "done", pickle.loads(task)()  # noqa: S301 - the parent wrote it
    except TestIntegrationError as error:
        return "rejected", (type(error).__name__, error.code, error.status, error.message, error.field)
    except MemoryError:
        return "memory", None
    except RecursionError:
        return "recursion", None
    except Exception as error:
        frames = "".join(traceback.format_tb(error.__traceback__))
        return "failed", (type(error).__name__, frames)


if __name__ == "__main__":
    run_fork_server(
        socket.socket(fileno=int(sys.argv[1])),
        Limits(cpu_seconds=float(sys.argv[2]), memory_bytes=int(sys.argv[3])),
    )
