"""`manage.py check_provisioning [--json]`: check that every signup is complete."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.commands.base import BaseCommand
from customers.models import Customer
from provisioning.selectors import list_broken_signups


class Command(BaseCommand):
    help = (
        "Check that each customer has a key, an owner, all its steps, one Stripe customer and one "
        "welcome mail. Ignores customers younger than ten minutes. Fails if any is incomplete."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        broken = list_broken_signups(at=timezone.now())
        if options["json"]:
            self._print_json(broken)
        else:
            for signup in broken:
                self.stdout.write(f"{signup.customer_id}  {signup.name}: {', '.join(signup.reasons)}")
            self.stdout.write(f"{len(broken)} of {Customer.objects.count()} customers are incomplete.")
        if broken:
            raise CommandError("Not every signup is complete.")

    def _print_json(self, broken: list[Any]) -> None:
        listed = [{"customer": str(each.customer_id), "reasons": each.reasons} for each in broken]
        self.stdout.write(json.dumps({"customers": Customer.objects.count(), "broken": listed}))
