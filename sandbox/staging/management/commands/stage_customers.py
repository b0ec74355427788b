"""`manage.py stage_customers`: customers in every state, at a sandbox whose clock begins in the past."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from core.commands.base import BaseCommand
from sandbox.staging.cast import PASSWORD
from sandbox.staging.outside import HttpOutside, SandboxSilent
from sandbox.staging.stage import StoryTooLate, describe_difference, stage_customers, stage_staff


class Command(BaseCommand):
    help = (
        "Stage a customer in each state and print the logins. Needs web, worker and a fresh Stripe sandbox."
    )

    def handle(self, **options: Any) -> None:
        try:
            outside = HttpOutside(settings.STRIPE_API_BASE)
            actors = stage_customers(outside=outside, today=timezone.now())
        except (SandboxSilent, StoryTooLate) as error:
            raise CommandError(str(error)) from error
        if differences := [text for actor in actors if (text := describe_difference(actor))]:
            raise CommandError("\n".join(differences))
        for actor in actors:
            self.stdout.write(f"{actor.state:<22} {actor.email:<26} {PASSWORD}")
        self.stdout.write(f"{'staff':<22} {stage_staff():<26} {PASSWORD}, then make staff-code")
