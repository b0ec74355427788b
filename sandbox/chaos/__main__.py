"""`python -m sandbox.chaos [--seed N] [--fixes N]`: check exactly-once billing while services fail.

Prints a report as JSON and writes var/chaos.json. Exits with 1 if a check fails, with 2 if the run could not
start or broke off. Needs PostgreSQL and Redis, on which it creates its own databases.
"""

import argparse
import json
import os
import resource
import secrets
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import django

from core.commands.terminal import escape_controls
from sandbox import probe
from sandbox.processes import NotReady, ProcessEnded, Supervisor, interrupt_on_signals, pick_port
from sandbox.services import NoFreeRedisDatabase, borrow_redis, create_database
from sandbox.stripe_client import StripeSandboxClient

from .faults import KINDS, FaultInjector
from .plan import Plan, draw_plan
from .stack import ChaosStack
from .stripe_faults import STRIPE_FAULT_KINDS

ROOT = Path(__file__).resolve().parents[2]
FIRST_PORT = 20_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="of all random choices; default: a new one")
    parser.add_argument(
        "--fixes", type=int, default=5000, help="number of successful fixes; others are added"
    )
    parser.add_argument("--customers", type=int, help="default: one for 25 fixes")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "chaos", help="emptied at the start")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "chaos.json")
    args = parser.parse_args()
    seed = secrets.randbelow(10**6) if args.seed is None else args.seed
    plan = draw_plan(seed=seed, fixes=args.fixes, customers=args.customers)
    print(f"make chaos SEED={seed} FIXES={args.fixes}", file=sys.stderr, flush=True)
    try:
        with interrupt_on_signals():
            report = run(plan, seed=seed, data_dir=args.data_dir.resolve())
    except KeyboardInterrupt:
        return 130
    except (probe.NotReachable, NoFreeRedisDatabase, NotReady, ProcessEnded) as error:
        print(
            f"{escape_controls(str(error))}\nLogs of the processes: {args.data_dir / 'log'}",
            file=sys.stderr,
        )
        return 2
    text = json.dumps(report, indent=2)
    args.output.write_text(text + "\n")
    print(text)
    return 0 if report["ok"] else 1


def run(plan: Plan, *, seed: int, data_dir: Path) -> dict[str, Any]:
    """Run the test and return its report. Removes everything that the run created except its folder."""
    began = time.monotonic()
    admin_url = os.environ.get("TEST_DATABASE_URL") or probe.find_database()
    redis_url = os.environ.get("TEST_REDIS_URL") or probe.find_redis()
    shutil.rmtree(data_dir, ignore_errors=True)
    with (
        create_database(admin_url, purpose="chaos") as database_url,
        borrow_redis(redis_url) as own_redis_url,
    ):
        # Two runs may search for free ports at once, so each starts at a different number.
        port = FIRST_PORT + os.getpid() * 2 % 10_000
        stack = ChaosStack(data_dir, pick_port(port), pick_port(port + 1), database_url, own_redis_url)
        stack.prepare()
        django.setup()
        from .run import ChaosRun

        with Supervisor(
            environment=stack.environment, log_dir=data_dir / "log", stop_timeout=5
        ) as supervisor:
            stripe = StripeSandboxClient(stack.stripe_url)
            injector = FaultInjector(
                stack=stack, supervisor=supervisor, stripe=stripe, admin_url=admin_url, seed=seed
            )
            chaos = ChaosRun(stack, supervisor, stripe, injector, plan, seed)
            verdict, clients, backlog = chaos.run()
    stuck = chaos.stuck or sum(backlog.values())
    return {
        "ok": verdict.is_good and stuck == 0 and not clients.rejected,
        "seed": seed,
        "fixes": sum(issue.counts for issue in plan.issues),
        "customers": len(plan.clients),
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "wrongly_billed": verdict.wrongly_billed,
        "invoice_difference_cents": verdict.invoice_difference_cents,
        "stuck": stuck,
        "faults": {
            kind: injector.counts[kind]
            for kind in sorted({*KINDS, *STRIPE_FAULT_KINDS} - {"stripe_faults_changed"})
        },
        "client": dict(sorted(clients.counts.items())) | {"rejected": len(clients.rejected)},
        "findings": [*verdict.findings, *clients.rejected][:20],
        "waiting": backlog,
        "seconds": chaos.seconds | {"all": round(time.monotonic() - began, 1), "cpu": _count_cpu_seconds()},
    }


def _count_cpu_seconds() -> float:
    """Return the CPU time of this process and of all ended child processes."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(each.ru_utime + each.ru_stime for each in spent), 1)


if __name__ == "__main__":
    sys.exit(main())
