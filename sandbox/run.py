"""`python -m sandbox.run`: run web, worker, beat and the sandbox Stripe together, until Ctrl-C."""

import argparse
import sys
from pathlib import Path

import django
from django.core.management import call_command

from core.commands.terminal import escape_controls

from .processes import NotReady, ProcessEnded, Supervisor, interrupt_on_signals, is_port_free
from .stack import Stack

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.run", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--stripe-port", type=int, default=12111)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var")
    args = parser.parse_args()
    for port in (args.port, args.stripe_port):
        if not is_port_free(port):
            print(f"Port {port} is in use. Choose others: make run PORT=… STRIPE_PORT=…")
            return 1
    stack = Stack(args.data_dir.resolve(), args.port, args.stripe_port)
    stack.prepare()
    try:
        with interrupt_on_signals(), Supervisor(environment=stack.environment) as supervisor:
            run(stack, supervisor)
    except KeyboardInterrupt:
        print("All processes have ended.")
    except (ProcessEnded, NotReady) as error:
        print(escape_controls(str(error)), file=sys.stderr)
        return 1
    return 0


def run(stack: Stack, supervisor: Supervisor) -> None:
    """Start all processes and run until interrupted. Raises ProcessEnded, NotReady."""
    stack.start_stripe(supervisor)
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    stack.wait_for_stripe(supervisor)
    call_command("sync_plans")
    call_command("register_webhook")
    stack.start_web(supervisor)
    stack.start_worker(supervisor)
    stack.start_beat(supervisor)
    stack.wait_for_web(supervisor)
    print(f"\n  RSOLV {stack.url}   Stripe's sandbox {stack.stripe_url}   Press Ctrl-C to stop\n")
    supervisor.watch()


if __name__ == "__main__":
    sys.exit(main())
