"""`manage.py retry_billing [--dry-run] [--json]`: after an outage, do not wait out the waits."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from billing import services


class Command(BaseCommand):
    help = "Make every report, webhook event and pending plan that waits for a later attempt due now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what waits")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        backlog = services.count_backlog() if options["dry_run"] else services.retry_now(at=now)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(backlog)))
            return
        self.stdout.write(
            f"Waiting: {backlog.reports} usage reports, {backlog.events} webhook events, "
            f"{backlog.plans} plans. For staff: {backlog.refused}."
        )
        if backlog.total and not options["dry_run"]:
            self.stdout.write("What waits is due now: the sweep hands it out.")
