"""`manage.py provision_customer EMAIL --name N [--plan P] [--namespace NS] [--json]`."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from billing.plans import PLANS
from billing.services.subscriptions.choose_plan import choose_plan
from core.commands.base import BaseCommand
from core.errors import DomainError
from customers.models import Customer
from provisioning.services.provision_customer import Provisioned, provision_customer


class Command(BaseCommand):
    help = "Create a customer with its owner and first API key, which is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True, help="the company or team")
        parser.add_argument("--plan", choices=sorted(PLANS), default="trial")
        parser.add_argument(
            "--payment-method", default="", help="the Stripe payment method that pays for the plan"
        )
        parser.add_argument("--namespace", help="a GitHub organization or user that belongs to the customer")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, email: str, name: str, plan: str, **options: Any) -> None:
        try:
            # If the plan cannot be chosen, no account is created either.
            with transaction.atomic():
                made = provision_customer(
                    name=name,
                    email=email,
                    namespace=options["namespace"],
                    source=Customer.SignupSource.COMMAND,
                )
                if PLANS[plan].is_metered:
                    choose_plan(
                        customer=made.customer,
                        plan=PLANS[plan],
                        payment_method=options["payment_method"],
                        at=timezone.now(),
                    )
        except DomainError as error:
            raise CommandError(error.message) from error
        self._show(made, plan=plan, namespace=options["namespace"], as_json=options["json"])

    def _show(self, made: Provisioned, *, plan: str, namespace: str | None, as_json: bool) -> None:
        shown = {
            "customer_id": str(made.customer.pk),
            "name": made.customer.name,
            "email": made.customer.email,
            "plan": plan,
            "namespace": namespace,
            "api_key": made.key.raw,
        }
        if as_json:
            self.stdout.write(json.dumps(shown))
            return
        for label, value in shown.items():
            self.stdout.write(f"{label:<12} {value or '-'}")
        self.stdout.write("The key is shown only once. Save it now.")
