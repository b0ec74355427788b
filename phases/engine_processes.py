"""The engine's child processes as the process that answers requests has them. No Django.

What a child answers is read as plain values and the engine's own dataclasses, nothing else: a child has
read a stranger's file.
"""

import contextlib
import io
import os
import pickle
import socket
import subprocess
import sys
import threading
from dataclasses import is_dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from phases.engine_child import Limits
from phases.test_integration import errors

ROOT = Path(__file__).resolve().parents[1]
ENGINE = "phases.test_integration."
# All that a fork server needs to know: it has none of our secrets.
NEEDED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX") + (
    "PYTHONDONTWRITEBYTECODE",
)
START_SECONDS = 30.0
LARGEST_ANSWER = 64 * 1024 * 1024


class ForkServerLost(Exception):
    """No child can be made: the fork server does not start, or has ended."""


class ChildLost(Exception):
    """A child has ended before it answered. `exit_code` is negative where a signal ended it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class TaskOverdue(Exception):
    """A child has not answered in time, and was killed."""


class TaskFailed(Exception):
    """The engine raised what it never should: `kind` is the exception's name, `places` its traceback."""

    def __init__(self, kind: str, places: str) -> None:
        super().__init__(kind)
        self.kind, self.places = kind, places


class TaskTooLarge(Exception):
    """The engine ran out of memory, or of stack."""


class ForkServer:
    """The process that forks children. Made when the first is asked for; safe to use from many threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._popen: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start it without waiting until it is ready; repeating this changes nothing."""
        with self._lock:
            self._find_control()

    def fork(self) -> "Child":
        """A fresh child. Raises ForkServerLost."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            pid = self._ask(b"fork", theirs.fileno())
            return Child(self, pid, Connection(ours.detach()))

    def end(self, pid: int) -> int:
        """Kill a child, if it still is; return its exit code. Raises ForkServerLost."""
        return self._ask(b"%d" % pid)

    def close(self) -> None:
        """End it and its children, and wait for that."""
        with self._lock:
            self._forget()

    def _ask(self, message: bytes, *descriptors: int) -> int:
        with self._lock:
            try:
                control = self._find_control()
                socket.send_fds(control, [message], descriptors)
                return int(control.recv(64))
            except (OSError, ValueError) as error:
                self._forget()
                raise ForkServerLost from error

    def _find_control(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._control.settimeout(START_SECONDS)
            with theirs:
                options = (theirs.fileno(), self._limits.cpu_seconds, self._limits.memory_bytes)
                self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [sys.executable, "-m", "phases.engine_child", *map(str, options)],
                    cwd=ROOT,
                    env={name: os.environ[name] for name in NEEDED if name in os.environ},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # the parser's last words are of no use
                    pass_fds=[theirs.fileno()],
                )
        return self._control

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._popen is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(1)  # it ends when its socket closes
            self._popen.kill()
            self._popen.wait()
            self._popen = None


class Child:
    """One child process. Used by one thread at a time; whoever is done with it for good calls `end`."""

    def __init__(self, fork_server: ForkServer, pid: int, connection: Connection) -> None:
        self._fork_server, self.pid, self._connection = fork_server, pid, connection
        self.is_spent = False
        self.cpu_seconds = 0.0
        self._exit_code: int | None = None

    def ask(self, task: "partial[Any]", *, seconds: float) -> Any:
        """What the engine makes of the task, or raises of its own errors.

        Raises ChildLost, TaskOverdue after so many seconds, TaskTooLarge, TaskFailed; `is_spent` says
        whether the child is of no further use, `cpu_seconds` what an answered task took.
        """
        self.cpu_seconds = 0.0
        self.is_spent = True  # unless it turns out otherwise
        try:
            self._connection.send_bytes(pickle.dumps(task))
            if not self._connection.poll(seconds):
                raise TaskOverdue
            answer = self._connection.recv_bytes(LARGEST_ANSWER)
        except (OSError, EOFError) as error:
            raise ChildLost(self.end()) from error
        how, what, self.cpu_seconds, self.is_spent = _Answers(io.BytesIO(answer)).load()
        return what if how == "done" else _raise(how, what)

    def forget(self) -> None:
        """Close the connection, at which an idle child ends by itself."""
        self._connection.close()

    def end(self) -> int:
        """Kill it, if it still is; return its exit code. Repeating is safe. Raises ForkServerLost."""
        if self._exit_code is None:
            self._connection.close()
            self._exit_code = self._fork_server.end(self.pid)
        return self._exit_code


def _raise(how: str, what: Any) -> NoReturn:
    if how == "refused":
        raise _rebuild(*what)
    if how == "failed":
        raise TaskFailed(*what)
    raise TaskTooLarge


def _rebuild(
    name: str, code: str, status: int, message: str, field: str | None
) -> errors.TestIntegrationError:
    """The engine's error: its class may take something else to make, so it is made as its base is."""
    kind = getattr(errors, name, errors.TestIntegrationError)
    error: errors.TestIntegrationError = kind.__new__(kind)
    errors.TestIntegrationError.__init__(error, message, field=field)
    error.code, error.status = code, status
    return error


class _Answers(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(ENGINE):
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, tuple)):
                return found
        raise pickle.UnpicklingError(f"a child may not answer with {module}.{name}")
