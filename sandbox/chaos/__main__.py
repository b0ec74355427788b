"""`python -m sandbox.chaos [--seed N] [--fixes N]`: JSON on standard output, 0 if nothing is wrong.

Needs PostgreSQL and Redis, in which it uses databases of its own.
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
from sandbox.services import NoFreeRedisDatabase, borrow_redis, make_database
from sandbox.stripe_client import StripeSandboxClient

from .faults import KINDS, FaultInjector
from .plan import Plan, draw_plan
from .stack import ChaosStack
from .stripe_faults import STRIPE_FAULT_KINDS

ROOT = Path(__file__).resolve().parents[2]
FIRST_PORT = 20_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="what is random follows from it; a new one if not given")
    parser.add_argument("--fixes", type=int, default=5000, help="successful ones; others come on top")
    parser.add_argument("--customers", type=int, help="one for 25 fixes if not given")
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
    """Return the report of one run. Nothing of the run remains but its folder."""
    began = time.monotonic()
    admin_url = os.environ.get("TEST_DATABASE_URL") or probe.find_database()
    redis_url = os.environ.get("TEST_REDIS_URL") or probe.find_redis()
    shutil.rmtree(data_dir, ignore_errors=True)
    with make_database(admin_url, purpose="chaos") as database_url, borrow_redis(redis_url) as own_redis_url:
        # Two runs may look for ports at the same time, so each begins at another one.
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
    """Of this process and of all that it started, which have ended: what the run costs on an idle machine."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(each.ru_utime + each.ru_stime for each in spent), 1)


if __name__ == "__main__":
    sys.exit(main())
