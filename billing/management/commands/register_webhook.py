"""`manage.py register_webhook [URL]`: ask Stripe to deliver its events."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import stripe_gateway


class Command(BaseCommand):
    help = "Register our webhook address with Stripe and keep its secret. Repeatable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", nargs="?", default=f"{settings.BASE_URL}/api/webhooks/stripe")

    def handle(self, *, url: str, **options: Any) -> None:
        try:
            endpoint_id = stripe_gateway.register_webhook(url)
        except (stripe_gateway.StripeUnavailable, stripe_gateway.StripeRefused) as error:
            raise CommandError(f"Stripe: {error}") from error
        self.stdout.write(f"{endpoint_id} delivers to {url}")
