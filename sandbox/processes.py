"""Start, watch and stop a group of processes."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from core.commands.terminal import escape_controls

PR_SET_PDEATHSIG = 1
COLORS = (36, 33, 32, 35, 34)


class ProcessEnded(Exception):
    """A process that should keep running has ended; the message has its name and its last lines."""


class NotReady(Exception):
    """A wait has timed out."""


@dataclass(frozen=True)
class Child:
    """One process, the leader of its own process group. If `log` is None, its output is on the terminal."""

    name: str
    popen: subprocess.Popen[str]
    log: Path | None

    def read_tail(self, lines: int = 15) -> str:
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    """A context manager that stops all processes started within it at its end, also after an exception.

    Stopping sends SIGTERM, and SIGKILL after `stop_timeout` seconds. Output goes to `log_dir/<name>.log`, or
    without `log_dir` to the terminal, prefixed with the process's name. If this process is killed, the kernel
    ends its children (on Linux), so start them from the main thread only.
    """

    def __init__(
        self, *, environment: Mapping[str, str], log_dir: Path | None = None, stop_timeout: float = 10
    ) -> None:
        self._environment = {**os.environ, **environment}
        self._stop_timeout = stop_timeout
        self._log_dir = log_dir
        self._children: list[Child] = []
        self._printers: list[threading.Thread] = []

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start a process. Call it from the main thread: the child ends with the thread that forked it."""
        log = self._log_dir / f"{name}.log" if self._log_dir else None
        with open(log, "a") if log else contextlib.nullcontext(subprocess.PIPE) as output:
            popen = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                process_group=0,  # a signal reaches the child's own children, and Ctrl-C reaches neither
                preexec_fn=_end_with_parent,
            )
        child = Child(name, popen, log)
        self._children.append(child)
        if popen.stdout:
            self._print_lines(child, popen.stdout)
        return child

    def find(self, name: str) -> Child:
        """Return the last child that was started under a name. Raises KeyError."""
        for child in reversed(self._children):
            if child.name == name:
                return child
        raise KeyError(name)

    def kill(self, name: str) -> None:
        """Kill a child and its own children, as in a crash. `check` does not report it. Raises KeyError."""
        child = self.find(name)
        _signal_group(child, signal.SIGKILL)
        child.popen.wait()
        self._children.remove(child)

    def check(self) -> None:
        """Raise ProcessEnded if a child has ended."""
        for child in self._children:
            code = child.popen.poll()
            if code is not None:
                raise ProcessEnded(f"{child.name} ended with code {code}\n{child.read_tail()}")

    def wait_for(self, what: str, is_there: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until `is_there()` is true. Raises NotReady after `seconds`, ProcessEnded if a child ends."""
        deadline = time.monotonic() + seconds
        while not is_there():
            self.check()
            if time.monotonic() > deadline:
                raise NotReady(f"waited {seconds:.0f} s for {what}")
            time.sleep(0.05)

    def watch(self) -> None:
        """Block until a signal interrupts. Raises ProcessEnded if a child ends."""
        while True:
            self.check()
            time.sleep(0.3)

    def stop(self) -> None:
        """Stop all children in reverse order. Safe to repeat."""
        with _no_interruption():
            for child in reversed(self._children):
                _signal_group(child, signal.SIGTERM)
            deadline = time.monotonic() + self._stop_timeout  # of all children together
            for child in self._children:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.popen.wait(timeout=max(0.0, deadline - time.monotonic()))
                _signal_group(child, signal.SIGKILL)
                child.popen.wait()
            for printer in self._printers:
                printer.join(timeout=1)

    def _print_lines(self, child: Child, lines: IO[str]) -> None:
        color = COLORS[(len(self._children) - 1) % len(COLORS)]
        label = f"{child.name:<7}│"
        if sys.stdout.isatty():
            label = f"\033[{color}m{label}\033[0m"

        def copy() -> None:
            with lines:
                for line in lines:
                    print(f"{label} {escape_controls(line.rstrip())}", flush=True)

        printer = threading.Thread(target=copy, daemon=True, name=f"lines of {child.name}")
        printer.start()
        self._printers.append(printer)


@contextlib.contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block on SIGTERM and SIGHUP, as on Ctrl-C.

    Also on SIGINT, which is ignored by default if a shell has started this process in the background.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def pick_port(preferred: int) -> int:
    """Return the preferred port if it is free, otherwise any free one."""
    return preferred if is_port_free(preferred) else pick_any_port()


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        # Ports in TIME_WAIT count as free, as they do for gunicorn.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def pick_any_port() -> int:
    """Return a port that is currently free on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies. Runs in the child between fork and exec."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have died before the call.
        if os.getppid() == 1:
            os._exit(1)


def _signal_group(child: Child, number: signal.Signals) -> None:
    """Signal a child's process group, which includes its own children, even if the child has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.popen.pid, number)


@contextlib.contextmanager
def _no_interruption() -> Iterator[None]:
    """Ignore a second Ctrl-C while processes are being stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
