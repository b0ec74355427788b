"""`manage.py register_webhook [URL]`: ask Stripe to deliver its events.

`manage.py register_webhook --destination ID < secret`: believe a destination for thin events too.
"""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from billing.services.webhooks.handlers import DESTINATION_EVENTS, ENDPOINT_EVENTS
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.stripe_gateway.webhooks import keep_event_destination, register_webhook
from core.commands.base import BaseCommand


class Command(BaseCommand):
    help = "Register our webhook address with Stripe and keep its secret. Repeatable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--destination", help="id of an event destination made at Stripe; its secret is read from stdin"
        )
        parser.add_argument("url", nargs="?", default=f"{settings.BASE_URL}/api/webhooks/stripe")

    def handle(self, *, url: str, destination: str | None = None, **options: Any) -> None:
        if destination is not None:
            secret = sys.stdin.readline().strip()
            if not secret.startswith("whsec_"):
                raise CommandError("Give the destination's signing secret, whsec_…, on stdin.")
            keep_event_destination(
                destination_id=destination, url=url, secret=secret, event_types=DESTINATION_EVENTS
            )
            self.stdout.write(f"{destination} is believed")
            return
        try:
            endpoint_id = register_webhook(url, event_types=ENDPOINT_EVENTS)
        except (StripeUnavailable, StripeRejected) as error:
            raise CommandError(f"Stripe: {error}") from error
        self.stdout.write(f"{endpoint_id} delivers to {url}")
