"""`manage.py bench_insertion`: measures insertion by framework and file size."""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connection, transaction
from django.test import Client, override_settings

from core.commands.base import BaseCommand
from customers.services.create_customer import create_customer
from customers.services.manage_keys import create_api_key
from phases.test_integration.measure import bench, corpus

_PATH = "/api/v1/test-integration/generate"
_UNLIMITED = {"API_REQUESTS_PER_MINUTE": 10**9, "API_TEST_INTEGRATION_PER_MINUTE": 10**9}
_COLUMNS = {
    "framework": "framework",
    "lines": "lines",
    "engine p50": "p50",
    "engine p99": "p99",
    "engine cpu": "cpu_p50",
    "request p50": "request_p50",
    "request p99": "request_p99",
    "parse p50": "parse_p50",
    "growth": "growth",
}


class Command(BaseCommand):
    help = "Time insertion into generated files, in ms. Keeps nothing: needs a database that may be empty."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        parser.add_argument("--framework", action="append", help="only this one; may be given several times")
        parser.add_argument("--rounds", type=int, default=30, help="of each measurement up to 1,000 lines")
        parser.add_argument("--sizes", type=int, nargs="+", default=list(bench.SIZES), help="in lines")

    def handle(self, **options: Any) -> None:
        names = bench.list_insertable()
        if unknown := set(options["framework"] or ()) - set(names):
            raise CommandError(f"no insertion for {', '.join(sorted(unknown))}; there is: {', '.join(names)}")
        chosen = [name for name in names if name in (options["framework"] or names)]
        rows: list[dict[str, Any]] = []
        with _api_key() as key:
            for name in chosen:
                for lines in options["sizes"]:
                    rows.append(self._measure(key, name, lines, options["rounds"]))
        _add_growth(rows)
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        lines = [[row[field] for field in _COLUMNS.values()] for row in rows]
        self.stdout.write(corpus.table(list(_COLUMNS), lines))
        self.stdout.write("Milliseconds. cpu: of them, at the median, what the processor worked.")
        self.stdout.write("parse: parsing the file once and nothing else, for comparison.")
        self.stdout.write("growth: cpu per line against the size before; 1.00 is linear, less is better.")

    def _measure(self, key: str, framework: str, lines: int, rounds: int) -> dict[str, Any]:
        engine = bench.measure_engine(framework, lines, rounds)
        client, sent = Client(), json.dumps(bench.request_body(framework, lines))

        def request() -> None:
            answer = client.post(_PATH, sent, content_type="application/json", headers={"X-API-Key": key})
            if answer.status_code != 200:
                raise CommandError(
                    f"{framework}, {lines} lines: {answer.status_code} {answer.content[:200]!r}"
                )

        times = bench.timed(request, bench.rounds_for(lines, rounds))
        return asdict(engine) | {
            "request_p50": corpus.percentile(times, 50),
            "request_p99": corpus.percentile(times, 99),
        }


def _add_growth(rows: list[dict[str, Any]]) -> None:
    """Add the CPU time per line relative to the next smaller size."""
    before: dict[str, Any] = {}
    for row in rows:
        row["growth"] = "-"
        if before.get("framework") == row["framework"]:
            row["growth"] = round(row["cpu_p50"] / row["lines"] / (before["cpu_p50"] / before["lines"]), 2)
        before = row


@contextmanager
def _api_key() -> Iterator[str]:
    """Yield an API key of a customer who is removed afterwards."""
    unmigrated = {config.label: None for config in apps.get_app_configs()}
    logging.disable(logging.INFO)  # one line per request
    with override_settings(**_UNLIMITED, ALLOWED_HOSTS=["testserver"]), ExitStack() as afterwards:
        afterwards.callback(logging.disable, logging.NOTSET)
        if "customers_customer" not in connection.introspection.table_names():
            with override_settings(MIGRATION_MODULES=unmigrated):
                call_command("migrate", run_syncdb=True, verbosity=0)
        with transaction.atomic():
            customer = create_customer(name="Bench", email="bench@example.com")
            yield create_api_key(customer=customer, name="bench").raw
            transaction.set_rollback(True)
