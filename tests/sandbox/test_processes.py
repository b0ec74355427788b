import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.processes import (
    NotReady,
    ProcessEnded,
    Supervisor,
    interrupt_on_signals,
    is_port_free,
    pick_port,
)

# A child that starts its own child, writes both pids to a file, and runs for a minute.
FAMILY = """
import pathlib, subprocess, sys, time
grandchild = subprocess.Popen(["sleep", "60"])
pathlib.Path(sys.argv[1]).write_text(f"{__import__('os').getpid()} {grandchild.pid}")
time.sleep(60)
"""
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text(str(__import__('os').getpid()))
time.sleep(60)
"""
PARENT = """
import sys, time
from sandbox.processes import Supervisor
with Supervisor(environment={}) as supervisor:
    supervisor.start("sleeper", [sys.executable, "-c", sys.argv[1], sys.argv[2]])
    time.sleep(60)
"""
SLEEPER = (
    "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
)


def wait_until(is_so: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def is_alive(pid: int) -> bool:
    """Return whether a process runs. A zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def read_pids(notes: Path) -> list[int]:
    assert wait_until(lambda: notes.exists() and notes.read_text())
    return [int(pid) for pid in notes.read_text().split()]


class TestSupervisor:
    def test_stops_children_and_their_children(self, tmp_path: Path, notes: Path) -> None:
        with Supervisor(environment={}, log_dir=tmp_path) as supervisor:
            supervisor.start("family", [sys.executable, "-c", FAMILY, str(notes)])
            pids = read_pids(notes)
            assert all(map(is_alive, pids))
        assert wait_until(lambda: not any(map(is_alive, pids)))

    def test_stops_children_after_an_error(self, tmp_path: Path, notes: Path) -> None:
        with pytest.raises(KeyError), Supervisor(environment={}, log_dir=tmp_path) as supervisor:
            supervisor.start("sleeper", [sys.executable, "-c", SLEEPER, str(notes)])
            (pid,) = read_pids(notes)
            raise KeyError
        assert not is_alive(pid)

    def test_kills_a_child_that_ignores_sigterm(self, tmp_path: Path, notes: Path) -> None:
        with Supervisor(environment={}, log_dir=tmp_path, stop_timeout=0.2) as supervisor:
            supervisor.start("stubborn", [sys.executable, "-c", STUBBORN, str(notes)])
            (pid,) = read_pids(notes)
        assert not is_alive(pid)

    def test_reports_which_process_ended_and_its_output(self, tmp_path: Path) -> None:
        with Supervisor(environment={}, log_dir=tmp_path) as supervisor:
            supervisor.start("web", [sys.executable, "-c", "print('no database'); raise SystemExit(3)"])
            with pytest.raises(ProcessEnded, match=r"web ended with code 3\nno database"):
                supervisor.wait_for("nothing", lambda: False, seconds=10)

    def test_stops_waiting_after_the_timeout(self, tmp_path: Path) -> None:
        with Supervisor(environment={}, log_dir=tmp_path) as supervisor, pytest.raises(NotReady):
            supervisor.wait_for("nothing", lambda: False, seconds=0)

    def test_prefixes_output_with_the_name(self, capfd: pytest.CaptureFixture[str]) -> None:
        with Supervisor(environment={}) as supervisor:
            child = supervisor.start("web", [sys.executable, "-c", "print('listening')"])
            child.popen.wait()
            assert wait_until(lambda: "web    │ listening" in capfd.readouterr().out)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_end_when_their_parent_is_killed(number: signal.Signals, notes: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, SLEEPER, str(notes)], stdout=subprocess.DEVNULL)
    (pid,) = read_pids(notes)
    parent.send_signal(number)
    parent.wait(timeout=10)
    assert wait_until(lambda: not is_alive(pid))


def test_sigterm_interrupts_as_ctrl_c_does() -> None:
    with pytest.raises(KeyboardInterrupt), interrupt_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)


def test_does_not_pick_a_port_in_use() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        assert not is_port_free(taken)
        assert pick_port(taken) != taken


class TestKill:
    def test_ends_child_and_grandchild_and_is_not_reported(self, tmp_path):
        with Supervisor(environment={}) as supervisor:
            supervisor.start("family", [sys.executable, "-c", FAMILY, str(tmp_path / "pids")])
            assert wait_until((tmp_path / "pids").exists)
            assert wait_until(lambda: len((tmp_path / "pids").read_text().split()) == 2)
            pids = list(map(int, (tmp_path / "pids").read_text().split()))
            supervisor.kill("family")
            assert wait_until(lambda: not any(map(is_alive, pids)))
            supervisor.check()

    def test_raises_for_an_unknown_name(self):
        with Supervisor(environment={}) as supervisor, pytest.raises(KeyError):
            supervisor.kill("nobody")
