"""`manage.py seed_customers`: seed a customer in each state. The sandbox's clock must start in the past."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from core.commands.base import BaseCommand
from sandbox.seed.customers import ClockTooLate, describe_difference, seed_customers, seed_staff
from sandbox.seed.personas import PASSWORD
from sandbox.seed.stripe_clock import HttpStripeClock, SandboxUnavailable


class Command(BaseCommand):
    help = "Seed a customer in each state and print the logins. Needs web, worker and a new sandbox Stripe."

    def handle(self, **options: Any) -> None:
        try:
            clock = HttpStripeClock(settings.STRIPE_API_BASE)
            personas = seed_customers(clock=clock, today=timezone.now())
        except (SandboxUnavailable, ClockTooLate) as error:
            raise CommandError(str(error)) from error
        if differences := [text for persona in personas if (text := describe_difference(persona))]:
            raise CommandError("\n".join(differences))
        for persona in personas:
            self.stdout.write(f"{persona.state:<22} {persona.email:<26} {PASSWORD}")
        self.stdout.write(f"{'staff':<22} {seed_staff():<26} {PASSWORD}, then make staff-code")
