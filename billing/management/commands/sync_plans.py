"""`manage.py sync_plans`: what our plans need at Stripe."""

from typing import Any

from django.core.management.base import CommandError

from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.stripe_gateway.prices import sync_plans
from core.commands.base import BaseCommand


class Command(BaseCommand):
    help = "Make the meter, products and prices that Stripe lacks, and print all ids. Repeatable."

    def handle(self, **options: Any) -> None:
        try:
            ids = sync_plans()
        except (StripeUnavailable, StripeRejected) as error:
            raise CommandError(f"Stripe: {error}") from error
        for name, stripe_id in ids.items():
            self.stdout.write(f"{name:<20} {stripe_id}")
