"""`manage.py register_webhook [URL]`: register our webhook endpoint at Stripe.

`manage.py register_webhook --destination ID < secret`: accept an event destination for thin events.
"""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from billing.services.webhooks.handlers import DESTINATION_EVENTS, ENDPOINT_EVENTS
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.stripe_gateway.webhooks import register_webhook, save_event_destination
from core.commands.base import BaseCommand


class Command(BaseCommand):
    help = "Register our webhook endpoint at Stripe and store its secret. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--destination",
            help="id of an event destination created at Stripe; its secret is read from stdin",
        )
        parser.add_argument("url", nargs="?", default=f"{settings.BASE_URL}/api/webhooks/stripe")

    def handle(self, *, url: str, destination: str | None = None, **options: Any) -> None:
        if destination is not None:
            # Not an argument, which the process list and the shell's history would show.
            secret = sys.stdin.readline().strip()
            if not secret.startswith("whsec_"):
                raise CommandError("Pass the destination's signing secret, whsec_…, on stdin.")
            save_event_destination(
                destination_id=destination, url=url, secret=secret, event_types=DESTINATION_EVENTS
            )
            self.stdout.write(f"{destination} is accepted")
            return
        try:
            endpoint_id = register_webhook(url, event_types=ENDPOINT_EVENTS)
        except (StripeUnavailable, StripeRejected) as error:
            raise CommandError(f"Stripe: {error}") from error
        self.stdout.write(f"{endpoint_id} delivers to {url}")
