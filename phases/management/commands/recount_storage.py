"""`manage.py recount_storage [--customer ID]`."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from core.commands.base import BaseCommand
from customers.models import Customer
from phases.services.recount_storage import Recount, recount_all_storage, recount_storage


class Command(BaseCommand):
    help = "Compare the count of what customers store with what they store, and correct it. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", help="the id of one customer")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["customer"]:
            recounts = [recount_storage(customer=self._find(options["customer"]))]
        else:
            recounts = list(recount_all_storage())
        drifted = [each for each in recounts if each.has_drifted]
        for each in drifted:
            self.stdout.write(self._describe(each))
        self.stdout.write(f"{len(recounts)} customers counted, {len(drifted)} corrected.")

    def _find(self, customer_id: str) -> Customer:
        try:
            return Customer.objects.get(pk=customer_id)
        except (Customer.DoesNotExist, ValidationError) as error:
            raise CommandError(f"There is no customer {customer_id}.") from error

    def _describe(self, recount: Recount) -> str:
        return f"{recount.customer.pk}: counted {recount.counted} bytes, found {recount.found}"
