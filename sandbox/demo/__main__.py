"""`python -m sandbox.demo [--once]`: start RSOLV, run the customer journey, and keep running."""

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
from sandbox.seed.personas import BEGINS_DAYS_AGO
from sandbox.stack import Stack

from .months import month_before
from .report import CheckFailed

ROOT = Path(__file__).resolve().parents[2]
# The month of the journey's customer ends this long after the start of the demo.
MONTH_LEFT = timedelta(minutes=3)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.demo", description="Run a complete customer journey and check every step."
    )
    parser.add_argument("--once", action="store_true", help="exit after the checks")
    parser.add_argument("--port", type=int, default=8000, help="if it is in use, another one is picked")
    parser.add_argument("--stripe-port", type=int, default=12111, help="if in use, another one is picked")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "demo", help="emptied at the start")
    args = parser.parse_args()
    data_dir = args.data_dir.resolve()
    try:
        with lock_data_dir(data_dir):
            stack = Stack(data_dir, pick_port(args.port), pick_port(args.stripe_port))
            run(stack, once=args.once)
    except KeyboardInterrupt:
        print("\nThe demo has ended, and all of its processes.")
        return 130 if args.once else 0
    except (CheckFailed, NotReady, ProcessEnded) as error:
        print(
            f"\n   ✗ {escape_controls(str(error))}\n   Logs of the processes: {data_dir / 'log'}",
            file=sys.stderr,
        )
        return 1
    print("demo: ok")
    return 0


def run(stack: Stack, *, once: bool) -> None:
    """Start RSOLV and run the steps. Unless `once`, keep running until interrupted. Stops all processes.

    Raises CheckFailed, NotReady or ProcessEnded.
    """
    started, today = time.monotonic(), datetime.now(UTC)
    stack.prepare()
    os.environ["LOG_LEVEL"] = "ERROR"
    with (
        interrupt_on_signals(),
        # A short timeout is enough: the next demo deletes the data folder.
        Supervisor(
            environment=stack.environment, log_dir=stack.data_dir / "log", stop_timeout=1
        ) as supervisor,
    ):
        stack.start_stripe(supervisor, clock=int((today - timedelta(days=BEGINS_DAYS_AGO)).timestamp()))
        django.setup()
        from . import steps

        report = steps.run_demo(stack, supervisor, today=today, month_begins=month_before(today + MONTH_LEFT))
        report.print_table()
        print(f"   {time.monotonic() - started:.1f} s in total, including imports")
        steps.print_logins(stack)
        if not once:
            print("\n   Press Ctrl-C to stop.", flush=True)
            supervisor.watch()


@contextmanager
def lock_data_dir(data_dir: Path) -> Iterator[None]:
    """Empty the folder and lock it against other demos.

    Exits if another demo runs in it, or if it contains files that no demo has created.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with open(data_dir.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"A demo is already running in {data_dir}: stop it, or choose another --data-dir.")
        if data_dir.exists() and any(data_dir.iterdir()):
            if not (data_dir / "stripe.sqlite3").exists():
                sys.exit(f"{data_dir} is not empty and was not made by a demo: choose another --data-dir.")
            shutil.rmtree(data_dir)
        yield


if __name__ == "__main__":
    sys.exit(main())
