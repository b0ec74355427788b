"""`manage.py retry_billing [--parked] [--dry-run] [--json]`: after an outage, do not wait out the waits."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from billing.services.retry_now import count_backlog, retry_now
from core.commands.base import BaseCommand


class Command(BaseCommand):
    help = "Make what waits for a later attempt due now: reports, corrections, webhook events, plans, mails."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what waits")
        parser.add_argument(
            "--parked", action="store_true", help="also what was given up and waits for staff"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        backlog = count_backlog() if options["dry_run"] else retry_now(at=now, with_parked=options["parked"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(backlog)))
            return
        found = ", ".join(f"{count} {kind}" for kind, count in asdict(backlog).items() if kind != "refused")
        self.stdout.write(f"Waiting: {found}. For staff: {backlog.refused}.")
        if not options["dry_run"]:
            self.stdout.write("What waits is due now: the sweep enqueues it.")
