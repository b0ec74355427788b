"""`python -m sandbox.load [--scenarios a,b] [--seeded N]`: run a load test on this machine.

Prints a table and writes var/load.json. Exits with 1 if anything is lost or grows, with 2 if the test could
not run. Needs PostgreSQL and Redis, on which it creates its own databases.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import django

from core.commands.terminal import escape_controls
from sandbox import probe
from sandbox.processes import NotReady, ProcessEnded, Supervisor, interrupt_on_signals, pick_port
from sandbox.services import NoFreeRedisDatabase, borrow_redis, create_database
from sandbox.smtp import MailServer
from sandbox.stripe_client import StripeSandboxClient

from .report import describe, write_lines
from .stack import LoadStack

ROOT = Path(__file__).resolve().parents[2]
FIRST_PORT = 20_000
NAMES = ("signups", "signups_with_faults", "webhooks_a_minute", "webhooks_burst", "action_shards")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.load", description=__doc__)
    parser.add_argument("--scenarios", default=",".join(NAMES), help=f"some of {','.join(NAMES)}")
    parser.add_argument("--seeded", type=int, default=10_000, help="active subscriptions, at least 2")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "load", help="emptied at the start")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "load.json")
    args = parser.parse_args()
    wanted = [name for name in args.scenarios.split(",") if name]
    if unknown := set(wanted) - set(NAMES):
        parser.error(f"unknown scenarios: {', '.join(sorted(unknown))}")
    try:
        with interrupt_on_signals():
            report = run(wanted, seeded=max(2, args.seeded), data_dir=args.data_dir.resolve())
    except KeyboardInterrupt:
        return 130
    except (probe.NotReachable, NoFreeRedisDatabase, NotReady, ProcessEnded) as error:
        print(
            f"{escape_controls(str(error))}\nLogs of the processes: {args.data_dir / 'log'}",
            file=sys.stderr,
        )
        return 2
    args.output.write_text(json.dumps(report, indent=2) + "\n")
    print(*write_lines(report), sep="\n")
    return 0 if report["ok"] else 1


def run(wanted: list[str], *, seeded: int, data_dir: Path) -> dict[str, Any]:
    """Run the test and return its report. Removes everything that the run created except its folder."""
    admin_url = os.environ.get("TEST_DATABASE_URL") or probe.find_database()
    redis_url = os.environ.get("TEST_REDIS_URL") or probe.find_redis()
    shutil.rmtree(data_dir, ignore_errors=True)
    with (
        create_database(admin_url, purpose="load") as database_url,
        borrow_redis(redis_url) as own_redis_url,
        MailServer() as mail,
    ):
        port = FIRST_PORT + os.getpid() * 2 % 10_000
        stack = LoadStack(
            data_dir, pick_port(port), pick_port(port + 1), database_url, own_redis_url, smtp_port=mail.port
        )
        stack.prepare()
        django.setup()
        from .environment import LoadEnvironment
        from .run import SCENARIOS, run_scenarios, start

        with Supervisor(
            environment=stack.environment, log_dir=data_dir / "log", stop_timeout=5
        ) as supervisor:
            env = LoadEnvironment(stack, supervisor, StripeSandboxClient(stack.stripe_url), mail, admin_url)
            start(env, seeded=seeded)
            chosen = [scenario for scenario in SCENARIOS if scenario.name in wanted]
            results, before, after = run_scenarios(env, chosen)
    load = [round(each, 1) for each in os.getloadavg()]
    about = {"seeded": seeded, "cores": os.cpu_count(), "machine_load": load}
    return describe(results, before=before, after=after, **about)


if __name__ == "__main__":
    sys.exit(main())
