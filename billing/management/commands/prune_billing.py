"""`manage.py prune_billing`: prune old webhooks and unused claims."""

from typing import Any

from django.utils import timezone

from billing.services.webhooks.prune_events import prune_events
from core.commands.base import BaseCommand


class Command(BaseCommand):
    help = "Empty the bodies of old webhooks and delete dj-stripe's old events. Never changes the ledger."

    def handle(self, **options: Any) -> None:
        pruned = prune_events(at=timezone.now())
        self.stdout.write(
            f"Pruned: {pruned.bodies} webhook bodies, {pruned.events} events, "
            f"{pruned.triggers} deliveries, {pruned.keys} idempotency keys, "
            f"{pruned.claims} unused claims."
        )
