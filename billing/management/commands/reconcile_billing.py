"""`manage.py reconcile_billing [--customer ID] [--json]`: compare the ledger, Stripe and the portal."""

import json
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing.models import Discrepancy, Reconciliation
from billing.services.reconciliation.reconcile import reconcile
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from core.commands.base import BaseCommand
from customers.models import Customer


class Command(BaseCommand):
    help = "Compare ledger, Stripe and portal; repair what is safe and list the rest. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", type=UUID, help="compare only the customer with this id")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        started_at = timezone.now()
        try:
            run = reconcile(at=started_at, customer=_find_customer(options["customer"]))
        except (StripeUnavailable, StripeRejected) as error:
            raise CommandError(f"Stripe: {error}") from error
        seconds = (timezone.now() - started_at).total_seconds()
        differences = list(run.discrepancies.select_related("customer"))
        if options["json"]:
            self.stdout.write(json.dumps(_describe(run, differences, seconds)))
        else:
            for row in differences:
                self.stdout.write(f"{row.state:<9} {row.customer}: {row}. {row.detail}")
            self.stdout.write(
                f"{run.accounts} accounts in {seconds:.1f} s, {len(differences)} differences, "
                f"{run.unanswered} without an answer."
            )
        if run.finished_at is None or run.unanswered:
            raise CommandError("Stripe did not answer for every account.")


def _find_customer(customer_id: UUID | None) -> Customer | None:
    if customer_id is None:
        return None
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise CommandError(f"No customer has the id {customer_id}.")
    return customer


def _describe(run: Reconciliation, differences: list[Discrepancy], seconds: float) -> dict[str, Any]:
    rows = [
        {
            "customer": str(row.customer_id),
            "kind": row.kind,
            "state": row.state,
            "period_start": row.period_start.isoformat(),
            "period_end": row.period_end.isoformat(),
            "ledger": row.ledger,
            "stripe": row.stripe,
            "portal": row.portal,
            "detail": row.detail,
        }
        for row in differences
    ]
    return {
        "accounts": run.accounts,
        "unanswered": run.unanswered,
        "is_complete": run.finished_at is not None,
        "seconds": round(seconds, 1),
        "differences": rows,
    }
