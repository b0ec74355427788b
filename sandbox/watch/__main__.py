"""`python -m sandbox.watch`: what every panel showed, and what fired every alert; 0 where nothing is missing.

Needs PostgreSQL, the programs redis-server and prometheus, and free ports. Writes var/watch.json.
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
from sandbox.services import make_database
from sandbox.smtp import MailServer
from sandbox.stack import HOST

from .monitoring import list_alerts, list_queries
from .prometheus import NoPrometheus, Prometheus
from .shortened import FACTOR
from .stack import TOKEN, WatchStack

ROOT = Path(__file__).resolve().parents[2]
FIRST_PORT = 20_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.watch", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "watch", help="emptied at the start")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "watch.json")
    parser.add_argument("--only", nargs="+", metavar="ALERT", help="only the faults that fire these")
    given = parser.parse_args()
    try:
        with interrupt_on_signals():
            report = run(given.data_dir.resolve(), only=given.only)
    except KeyboardInterrupt:
        return 130
    except (probe.NotReachable, NoPrometheus, NotReady, ProcessEnded) as error:
        print(
            f"{escape_controls(str(error))}\nWhat the processes said: {given.data_dir / 'log'}",
            file=sys.stderr,
        )
        return 2
    given.output.write_text(json.dumps(report, indent=2) + "\n")
    print(write_table(report))
    return 0 if report["ok"] else 1


def run(data_dir: Path, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """The report of one run. Nothing of it is left afterwards but its folder."""
    began = time.monotonic()
    admin_url = os.environ.get("TEST_DATABASE_URL") or probe.find_database()
    shutil.rmtree(data_dir, ignore_errors=True)
    with make_database(admin_url, purpose="watch") as database_url, MailServer(0) as mail:
        web, stripe, redis, prometheus = _pick_ports(4)
        stack = WatchStack(
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
        from .run import EMPTY_WHEN_WELL, Watch

        with Supervisor(environment=stack.environment, log_dir=data_dir / "log", patience=5) as supervisor:
            scraper = Prometheus(data_dir / "prometheus", prometheus, f"{HOST}:{web}", TOKEN)
            watch = Watch(stack, supervisor, scraper, mail, admin_url, only)
            watch.play()
    return {
        "ok": not (watch.silent or watch.unasked or watch.false_alarms),
        "alerts": {alert.name: watch.fired.get(alert.name) for alert in list_alerts()},
        "queries": {
            query.name: {"expr": query.expr, "rows": watch.rows.get(query.name, 0)}
            for query in list_queries()
        },
        "silent": watch.silent,
        "without_data": watch.unasked,
        "fired_while_well": watch.false_alarms,
        "empty_while_well": EMPTY_WHEN_WELL,
        "time_divided_by": FACTOR,
        "seconds": watch.seconds | {"all": round(time.monotonic() - began, 1)},
    }


def write_table(report: dict[str, Any]) -> str:
    lines = [f"{'alert':<26}{'seconds':>8}  fault"]
    for name, found in report["alerts"].items():
        if found:
            lines.append(f"{name:<26}{found['seconds_to_firing']:>8}  {found['fault']}")
        elif name in report["silent"]:
            lines.append(f"{name:<26}{'SILENT':>8}")
    lines += ["", f"{'query':<62}{'rows':>5}"]
    lines += [f"{name:<62}{found['rows']:>5}" for name, found in report["queries"].items()]
    lines += [f"fired while all was well: {name}" for name in report["fired_while_well"]]
    missing = len(report["silent"]) + len(report["without_data"]) + len(report["fired_while_well"])
    return "\n".join(
        [*lines, "", f"watch: {'ok' if report['ok'] else f'{missing} wrong'}, {report['seconds']['all']} s"]
    )


def _pick_ports(count: int) -> list[int]:
    """Two runs at once look for ports at once: each begins elsewhere."""
    first = FIRST_PORT + os.getpid() * count % 10_000
    return [pick_port(first + number) for number in range(count)]


if __name__ == "__main__":
    sys.exit(main())
