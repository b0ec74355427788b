"""`python -m sandbox.demo [--once]`: boots RSOLV here, drives the journey, stays to be explored."""

import argparse
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

from core.commands.terminal import escape_controls
from sandbox.processes import NotReady, ProcessEnded, Supervisor, interrupt_on_signals, pick_port
from sandbox.stack import Stack
from sandbox.staging.cast import BEGINS_DAYS_AGO

from .months import month_before
from .report import CheckFailed

ROOT = Path(__file__).resolve().parents[2]
# The month of the journey's customer ends so long after the demo began.
MONTH_LEFT = timedelta(minutes=3)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description="A customer's whole journey.")
    parser.add_argument("--once", action="store_true", help="end when everything is checked")
    parser.add_argument("--port", type=int, default=8000, help="another is used if it is taken")
    parser.add_argument("--stripe-port", type=int, default=12111, help="another is used if it is taken")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "demo", help="emptied at the start")
    given = parser.parse_args()
    data_dir = given.data_dir.resolve()
    try:
        with hold(data_dir):
            stack = Stack(data_dir, pick_port(given.port), pick_port(given.stripe_port))
            run(stack, once=given.once)
    except KeyboardInterrupt:
        print("\nThe demo has ended; nothing runs on.")
        return 130 if given.once else 0
    except (CheckFailed, NotReady, ProcessEnded) as error:
        print(
            f"\n   ✗ {escape_controls(str(error))}\n   What the processes said: {data_dir / 'log'}",
            file=sys.stderr,
        )
        return 1
    print("demo: ok")
    return 0


def run(stack: Stack, *, once: bool) -> None:
    """Boot, play, and unless `once` stay until interrupted. Nothing of it runs on afterwards."""
    started, today = time.monotonic(), datetime.now(UTC)
    stack.prepare()
    os.environ["LOG_LEVEL"] = "ERROR"
    with (
        interrupt_on_signals(),
        # What the processes hold is thrown away with the folder: nobody waits long for them.
        Supervisor(environment=stack.environment, log_dir=stack.data_dir / "log", patience=1) as supervisor,
    ):
        stack.start_stripe(supervisor, clock=int((today - timedelta(days=BEGINS_DAYS_AGO)).timestamp()))
        django.setup()
        from . import scenes

        report = scenes.play(stack, supervisor, today=today, month_begins=month_before(today + MONTH_LEFT))
        report.print_table()
        print(f"   {time.monotonic() - started:.1f} s with imports and all")
        scenes.show_around(stack)
        if not once:
            print("\n   Ctrl-C ends it.", flush=True)
            supervisor.watch()


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """An empty folder that no other demo uses meanwhile. One that no demo has made is left alone."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with open(data_dir.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"A demo runs in {data_dir} already: end it, or choose --data-dir.")
        if data_dir.exists() and any(data_dir.iterdir()):
            if not (data_dir / "stripe.sqlite3").exists():
                sys.exit(f"{data_dir} is not empty and no demo's: choose another --data-dir.")
            shutil.rmtree(data_dir)
        yield


if __name__ == "__main__":
    sys.exit(main())
