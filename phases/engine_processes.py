"""The parent's side of the engine's child processes. No Django.

A child has read a customer's file, so its answers are untrusted: only plain values and the engine's own
dataclasses are unpickled.
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
ENGINE_PACKAGE = "phases.test_integration."
# The only environment variables of a fork server: it gets none of our secrets.
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX") + (
    "PYTHONDONTWRITEBYTECODE",
)
START_SECONDS = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class ForkServerLost(Exception):
    """No child can be forked: the fork server does not start, or has ended."""


class ChildLost(Exception):
    """A child ended before it answered; `exit_code` is negative where a signal ended it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class TaskOverdue(Exception):
    """A child did not answer in time and was killed."""


class TaskFailed(Exception):
    """The engine raised an unexpected error: `kind` is its type's name, `frames` its traceback."""

    def __init__(self, kind: str, frames: str) -> None:
        super().__init__(kind)
        self.kind, self.frames = kind, frames


class TaskTooLarge(Exception):
    """The engine ran out of memory or of stack."""


class ForkServer:
    """The process that forks children, started when first needed. Safe to use from many threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._popen: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start it without waiting until it is ready. Repeating is safe."""
        with self._lock:
            self._get_control()

    def fork(self) -> "Child":
        """Fork a new child. Raises ForkServerLost."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            pid = self._ask(b"fork", theirs.fileno())
            return Child(self, pid, Connection(ours.detach()))

    def end(self, pid: int) -> int:
        """Kill a child if it still runs; return its exit code. Raises ForkServerLost."""
        return self._ask(b"%d" % pid)

    def close(self) -> None:
        """End it and its children, and wait until they have ended."""
        with self._lock:
            self._reset()

    def _ask(self, message: bytes, *descriptors: int) -> int:
        with self._lock:
            try:
                control = self._get_control()
                socket.send_fds(control, [message], descriptors)
                return int(control.recv(64))
            except (OSError, ValueError) as error:
                self._reset()
                raise ForkServerLost from error

    def _get_control(self) -> socket.socket:
        if self._control is None:
            # Keeps the bounds of messages, so that each read returns one whole message.
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            # The first answer comes when the engine is loaded.
            self._control.settimeout(START_SECONDS)
            with theirs:
                options = (theirs.fileno(), self._limits.cpu_seconds, self._limits.memory_bytes)
                self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [sys.executable, "-m", "phases.engine_child", *map(str, options)],
                    cwd=ROOT,
                    env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # the parser's output to stderr is of no use
                    pass_fds=[theirs.fileno()],
                )
        return self._control

    def _reset(self) -> None:
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
    """One child process, used by one thread at a time. Its last user calls `end`."""

    def __init__(self, fork_server: ForkServer, pid: int, connection: Connection) -> None:
        self._fork_server, self.pid, self._connection = fork_server, pid, connection
        self.is_spent = False
        self.cpu_seconds = 0.0
        self._exit_code: int | None = None

    def run(self, task: "partial[Any]", *, seconds: float) -> Any:
        """Run the task in the child; return its result or raise the engine's error.

        Raises ChildLost, TaskOverdue after `seconds`, TaskTooLarge, TaskFailed. Afterwards `is_spent` says
        whether the child must be ended, and `cpu_seconds` what an answered task took.
        """
        self.cpu_seconds = 0.0
        self.is_spent = True  # until an answer says otherwise
        try:
            self._connection.send_bytes(pickle.dumps(task))
            if not self._connection.poll(seconds):
                raise TaskOverdue
            answer = self._connection.recv_bytes(MAX_ANSWER_BYTES)
        except (OSError, EOFError) as error:
            raise ChildLost(self.end()) from error
        outcome, value, self.cpu_seconds, self.is_spent = _AnswerUnpickler(io.BytesIO(answer)).load()
        return value if outcome == "done" else _raise(outcome, value)

    def release(self) -> None:
        """Close the connection, which makes an idle child exit."""
        self._connection.close()

    def end(self) -> int:
        """Kill it if it still runs; return its exit code. Repeating is safe. Raises ForkServerLost."""
        if self._exit_code is None:
            self._connection.close()
            self._exit_code = self._fork_server.end(self.pid)
        return self._exit_code


def _raise(outcome: str, value: Any) -> NoReturn:
    if outcome == "rejected":
        raise _rebuild(*value)
    if outcome == "failed":
        raise TaskFailed(*value)
    raise TaskTooLarge


def _rebuild(
    name: str, code: str, status: int, message: str, field: str | None
) -> errors.TestIntegrationError:
    """Return the engine's error. Its class may need other arguments, so the base class initializes it."""
    kind = getattr(errors, name, errors.TestIntegrationError)
    error: errors.TestIntegrationError = kind.__new__(kind)
    errors.TestIntegrationError.__init__(error, message, field=field)
    error.code, error.status = code, status
    return error


class _AnswerUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(ENGINE_PACKAGE):
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, tuple)):
                return found
        raise pickle.UnpicklingError(f"a child may not answer with {module}.{name}")
