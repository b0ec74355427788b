"""The engine in processes of its own: a fork server that has loaded it, and the children that it forks.

`python -m phases.engine_child FD SECONDS BYTES` is a fork server: one thread, the engine, nothing of Django,
no setting, no secret. Over the socket FD it is asked to fork a child for a connection, and to end one. A
child works on one task at a time and is killed by the kernel at its limits; it ends with its fork server,
which ends with the process that started it. Linux only. See docs/decisions/019.
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
    # The engine needs core.errors, not the Celery application that rsolv's own __init__ makes.
    bare = ModuleType("rsolv")
    bare.__path__ = [str(Path(__file__).resolve().parents[1] / "rsolv")]
    sys.modules["rsolv"] = bare

import phases.test_integration.services  # noqa: F401 - loaded once, for every child
from phases.test_integration.errors import TestIntegrationError

PR_SET_PDEATHSIG = 1
# A child that has worked this often, or has grown by this share of what it may, makes room for a fresh one.
MOST_TASKS = 1_000
MOST_GROWTH = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """For one task; `memory_bytes` is what it may take beyond what the loaded engine has."""

    cpu_seconds: float
    memory_bytes: int


def watch_over(control: socket.socket, limits: Limits) -> NoReturn:
    """Fork and end children as the process at the other end asks, until there is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
            answer = _end(int(message), children)
        control.send(b"%d" % answer)


def _fork(control: socket.socket, descriptor: int, limits: Limits) -> int:
    fork_server = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            control.close()
            _bind_to(fork_server)
            serve(Connection(descriptor), limits)
        finally:
            os._exit(1)
    os.close(descriptor)
    return child


def _end(child: int, children: set[int]) -> int:
    """Kill a child that may have ended, and say how it did: as `os.waitstatus_to_exitcode`.

    A child of a fork server before this one was killed with it; its number may be another process's by now.
    """
    if child not in children:
        return -signal.SIGKILL
    children.remove(child)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _bind_to(fork_server: int) -> None:
    """Have the kernel end this process with its fork server."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != fork_server:
        os._exit(0)


def serve(connection: Connection, limits: Limits) -> NoReturn:
    """Work on tasks until the other end closes.

    An answer has at its end the CPU seconds that the task took, and whether it is the last.
    """
    page = resource.getpagesize()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * page
    resource.setrlimit(resource.RLIMIT_AS, (used + limits.memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most_kilobytes = _measure() + int(limits.memory_bytes * MOST_GROWTH / 1024)
    for number in range(1, MOST_TASKS + 1):
        try:
            task = connection.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)
        # The timer counts what the processor works, and its signal ends the process, whatever it is at.
        signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
        began = time.process_time()
        answer = _carry_out(task)
        cpu_seconds = time.process_time() - began
        is_last = answer[0] == "memory" or number == MOST_TASKS or _measure() > most_kilobytes
        sent = pickle.dumps((*answer, cpu_seconds, is_last))
        signal.setitimer(signal.ITIMER_PROF, 0)
        connection.send_bytes(sent)
        if is_last:
            break
        del task, answer, sent
    os._exit(0)


def _measure() -> int:
    """The most memory that this process has had, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _carry_out(task: bytes) -> tuple[str, Any]:
    """How it went, and what came of it; of an unexpected error not its message, which may hold the text."""
    try:
        return "done", pickle.loads(task)()  # noqa: S301 - the parent wrote it
    except TestIntegrationError as error:
        return "refused", (type(error).__name__, error.code, error.status, error.message, error.field)
    except MemoryError:
        return "memory", None
    except RecursionError:
        return "recursion", None
    except Exception as error:
        places = "".join(traceback.format_tb(error.__traceback__))
        return "failed", (type(error).__name__, places)


if __name__ == "__main__":
    watch_over(
        socket.socket(fileno=int(sys.argv[1])),
        Limits(cpu_seconds=float(sys.argv[2]), memory_bytes=int(sys.argv[3])),
    )
