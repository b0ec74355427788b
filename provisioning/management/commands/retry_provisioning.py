"""`manage.py retry_provisioning`: after an outage, do not wait out the waits of signups."""

from typing import Any

from django.utils import timezone

from core.commands.base import BaseCommand
from provisioning.services.retry_steps import retry_steps


class Command(BaseCommand):
    help = "Make the steps of signups that wait for another attempt due now."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"{retry_steps(at=timezone.now())} steps wait; the sweep hands them out.")
