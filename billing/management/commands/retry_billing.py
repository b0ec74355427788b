"""`manage.py retry_billing [--parked] [--dry-run] [--json]`: retry billing's backlog after an outage."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from billing.services.retry_now import count_backlog, retry_now
from core.commands.base import BaseCommand


class Command(BaseCommand):
    help = "Make pending rows due now: usage reports, corrections, webhook events, plans, notifications."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count the backlog")
        parser.add_argument("--parked", action="store_true", help="also retry rows that are parked for staff")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        backlog = count_backlog() if options["dry_run"] else retry_now(at=now, with_parked=options["parked"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(backlog)))
            return
        found = ", ".join(f"{count} {kind}" for kind, count in asdict(backlog).items() if kind != "rejected")
        self.stdout.write(f"Pending: {found}. Parked for staff: {backlog.rejected}.")
        if not options["dry_run"]:
            self.stdout.write("Pending rows are due now. The sweep will enqueue them.")
