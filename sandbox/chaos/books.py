"""What stands in the ledger and at Stripe once all is quiet, read from both."""

from collections import Counter
from typing import Any

from django.db import connection

from billing.models import UsageRecord
from sandbox.stripe_outside import StripeOutside

from .plan import Client, Plan
from .verdict import Books, LedgerRow, MeterEvent

# Where Stripe's customer says whose it is.
OWNER = "djstripe_subscriber"


def read_books(*, plan: Plan, stripe: StripeOutside, customer_ids: dict[str, int]) -> Books:
    """`customer_ids`: the client's number by its customer's id with us."""
    owners = {
        each["id"]: customer_ids.get(each["metadata"].get(OWNER, ""), -1)
        for each in stripe.list_all("customers")
    }
    events = [
        MeterEvent(owners.get(each["customer"], -1), each["identifier"], int(each["payload"]["value"]))
        for each in stripe.list_meter_events()
        if not each["cancelled"]
    ]
    invoiced: dict[int, int] = dict.fromkeys(range(len(plan.clients)), 0)
    strays = sum(1 for event in events if event.client == -1)
    for invoice in stripe.list_all("invoices"):
        owner = owners.get(invoice["customer"], -1)
        strays += owner == -1
        if owner != -1 and invoice["status"] in ("open", "paid"):
            invoiced[owner] += invoice["total"]
    subscribed = stripe.list_all("subscriptions", status="all")
    subscriptions = Counter(owners.get(each["customer"], -1) for each in subscribed)
    return Books(tuple(_read_ledger(plan)), tuple(events), invoiced, strays, dict(subscriptions))


def _read_ledger(plan: Plan) -> list[LedgerRow]:
    connection.close()  # the database has been away
    clients: dict[str, Client] = {client.namespace: client for client in plan.clients}
    rows: Any = UsageRecord.objects.values_list(
        "pk", "repository__forge_account__namespace", "repository__name", "issue_number", "coverage"
    )
    return [
        LedgerRow(str(pk), clients[namespace].number, name, issue, coverage)
        for pk, namespace, name, issue, coverage in rows.iterator()
    ]
