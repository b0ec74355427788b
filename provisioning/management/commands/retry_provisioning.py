"""`manage.py retry_provisioning`: retry the steps of signups immediately, after an outage."""

from typing import Any

from django.utils import timezone

from core.commands.base import BaseCommand
from provisioning.services.retry_steps import retry_steps


class Command(BaseCommand):
    help = "Retry waiting provisioning steps now instead of at their next attempt."

    def handle(self, **options: Any) -> None:
        self.stdout.write(
            f"{retry_steps(at=timezone.now())} steps are due; the sweep enqueues them within a minute."
        )
