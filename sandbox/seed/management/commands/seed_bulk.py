"""`manage.py seed_bulk [--customers N] [--fixes M]`: seed customers to measure `reconcile_billing`."""

import time
from typing import Any

from django.core.management.base import CommandParser

from core.commands.base import BaseCommand
from sandbox.seed.bulk_seed import BulkSeeder


class Command(BaseCommand):
    help = "Seed thousands of customers with an invoiced month. Needs an empty database and a new sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=10_000)
        parser.add_argument("--fixes", type=int, default=5, help="per customer in the invoiced month")

    def handle(self, *, customers: int, fixes: int, **options: Any) -> None:
        started = time.monotonic()
        BulkSeeder().seed(customers=customers, fixes=fixes)
        self.stdout.write(
            f"{customers} customers with {fixes} fixes each in {time.monotonic() - started:.0f} s"
        )
