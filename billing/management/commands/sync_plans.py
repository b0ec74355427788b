"""`manage.py sync_plans`: create the Stripe objects of our plans."""

from typing import Any

from django.core.management.base import CommandError

from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.stripe_gateway.prices import sync_plans
from core.commands.base import BaseCommand


class Command(BaseCommand):
    help = "Create what Stripe lacks of our meter, prices and portal configuration. Safe to repeat."

    def handle(self, **options: Any) -> None:
        try:
            ids = sync_plans()
        except (StripeUnavailable, StripeRejected) as error:
            raise CommandError(f"Stripe: {error}") from error
        for name, stripe_id in ids.items():
            self.stdout.write(f"{name:<20} {stripe_id}")
