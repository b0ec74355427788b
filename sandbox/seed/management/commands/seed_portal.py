"""`manage.py seed_portal [--customers N] [--fixes M] [--busy-fixes K]`: seed data for `bench_portal`."""

import time
from typing import Any

from django.core.management.base import CommandParser
from django.db import connection
from django.utils import timezone

from core.commands.base import BaseCommand
from sandbox.seed.portal_seed import seed_portal


class Command(BaseCommand):
    help = "Seed thousands of customers with fixes over a year. Needs an empty database and no Stripe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=10_000)
        parser.add_argument("--fixes", type=int, default=100_000, help="in total")
        parser.add_argument("--busy-fixes", type=int, default=2_000, help="of the busiest customer")

    def handle(self, *, customers: int, fixes: int, busy_fixes: int, **options: Any) -> None:
        started = time.monotonic()
        user = seed_portal(customers=customers, fixes=fixes, busy_fixes=busy_fixes, at=timezone.now())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        seconds = time.monotonic() - started
        self.stdout.write(
            f"{customers} customers, {fixes} fixes in {seconds:.0f} s; the busiest: {user.email}"
        )
