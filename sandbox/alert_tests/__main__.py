"""`python -m sandbox.alert_tests`: check that every panel has data and every alert fires by its fault.

Needs PostgreSQL, and the programs redis-server and prometheus. Writes var/test-alerts.json. Exits with 1 if a
check fails, with 2 if the test could not run.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import django

from core.commands.terminal import escape_controls
from sandbox import probe
from sandbox.processes import NotReady, ProcessEnded, Supervisor, interrupt_on_signals, pick_port
from sandbox.services import create_database
from sandbox.smtp import MailServer
from sandbox.stack import HOST

from .monitoring import list_alerts, list_queries
from .prometheus import Prometheus, PrometheusMissing
from .report import write_table
from .shortened_rules import FACTOR
from .stack import TOKEN, AlertTestStack

ROOT = Path(__file__).resolve().parents[2]
FIRST_PORT = 20_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.alert_tests", description=__doc__)
    parser.add_argument(
        "--data-dir", type=Path, default=ROOT / "var" / "test-alerts", help="emptied at the start"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "test-alerts.json")
    parser.add_argument("--only", nargs="+", metavar="ALERT", help="inject only the faults of these alerts")
    args = parser.parse_args()
    try:
        with interrupt_on_signals():
            report = run(args.data_dir.resolve(), only=args.only)
    except KeyboardInterrupt:
        return 130
    except (probe.NotReachable, PrometheusMissing, NotReady, ProcessEnded) as error:
        print(
            f"{escape_controls(str(error))}\nLogs of the processes: {args.data_dir / 'log'}",
            file=sys.stderr,
        )
        return 2
    args.output.write_text(json.dumps(report, indent=2) + "\n")
    print(write_table(report))
    return 0 if report["ok"] else 1


def run(data_dir: Path, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """Run the test and return its report. Removes everything that the run created except its folder."""
    began = time.monotonic()
    admin_url = os.environ.get("TEST_DATABASE_URL") or probe.find_database()
    shutil.rmtree(data_dir, ignore_errors=True)
    with create_database(admin_url, purpose="alerts") as database_url, MailServer() as mail:
        web, stripe, redis, prometheus = _pick_ports(4)
        stack = AlertTestStack(
            data_dir,
            web_port=web,
            stripe_port=stripe,
            database_url=database_url,
            redis_url=f"redis://{HOST}:{redis}/0",
            redis_port=redis,
            smtp_port=mail.port,
        )
        stack.prepare()
        django.setup()
        from .run import AlertTest

        with Supervisor(
            environment=stack.environment, log_dir=data_dir / "log", stop_timeout=5
        ) as supervisor:
            scraper = Prometheus(data_dir / "prometheus", prometheus, f"{HOST}:{web}", TOKEN)
            test = AlertTest(stack, supervisor, scraper, mail, admin_url, only)
            test.run()
    return {
        "ok": not test.problems,
        "problems": test.problems,
        "alerts": {alert.name: test.fired.get(alert.name) for alert in list_alerts()},
        "queries": {
            query.name: {"expr": query.expr, "rows": test.rows.get(query.name, 0)} for query in list_queries()
        },
        "empty_without_fault": test.fault_panels,
        "time_divided_by": FACTOR,
        "seconds": test.seconds | {"all": round(time.monotonic() - began, 1)},
    }


def _pick_ports(count: int) -> list[int]:
    """Return free ports. Start at a number derived from the pid, because two runs may search at once."""
    first = FIRST_PORT + os.getpid() * count % 10_000
    return [pick_port(first + number) for number in range(count)]


if __name__ == "__main__":
    sys.exit(main())
