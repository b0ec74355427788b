"""`manage.py choose_plan EMAIL PLAN [--payment-method PM]`: put a customer on a plan."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing.plans import PLANS
from billing.services.subscriptions.choose_plan import choose_plan, open_subscription
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from core.commands.base import BaseCommand
from core.errors import DomainError
from customers.models import Customer


class Command(BaseCommand):
    help = "Put a customer on a metered plan and create its subscription at Stripe. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the customer's email address")
        parser.add_argument("plan", choices=sorted(key for key, plan in PLANS.items() if plan.is_metered))
        parser.add_argument("--payment-method", default="", help="Stripe id of the payment method")

    def handle(self, *, email: str, plan: str, payment_method: str, **options: Any) -> None:
        customer = Customer.objects.filter(email__iexact=email, closed_at=None).first()
        if customer is None:
            raise CommandError(f"No customer has the email address {email}.")
        try:
            choose_plan(customer=customer, plan=PLANS[plan], payment_method=payment_method, at=timezone.now())
            open_subscription(customer_id=customer.pk)
        except DomainError as error:
            raise CommandError(error.message) from error
        except StripeUnavailable as error:
            self.stderr.write(
                f"Stripe is unavailable ({error}). The sweep will create the subscription later."
            )
        except StripeRejected as error:
            raise CommandError(f"Stripe rejected the request: {error}") from error
        customer.billing_account.refresh_from_db()
        self.stdout.write(f"{email} is on {plan}, {customer.billing_account.status}")
