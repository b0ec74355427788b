"""Read the ledger and Stripe at the end of a run."""

from collections import Counter
from typing import Any

from django.db import connection

from billing.models import UsageRecord
from sandbox.stripe_client import StripeSandboxClient

from .plan import Client, Plan
from .verdict import LedgerRow, LedgerSnapshot, MeterEvent

# The metadata key of Stripe's customer that holds our customer's id.
OWNER = "djstripe_subscriber"


def read_ledger_snapshot(
    *, plan: Plan, stripe: StripeSandboxClient, customer_ids: dict[str, int]
) -> LedgerSnapshot:
    """Read our ledger and Stripe's meter events, invoices and subscriptions.

    `customer_ids` has the client's number by our customer's id.
    """
    owners = {
        each["id"]: customer_ids.get(each["metadata"].get(OWNER, ""), -1)
        for each in stripe.list_all("customers")
    }
    events = [
        MeterEvent(owners.get(each["customer"], -1), each["identifier"], int(each["payload"]["value"]))
        for each in stripe.list_meter_events()
        if not each["canceled"]
    ]
    invoiced: dict[int, int] = dict.fromkeys(range(len(plan.clients)), 0)
    unknown_owners = sum(1 for event in events if event.client == -1)
    for invoice in stripe.list_all("invoices"):
        owner = owners.get(invoice["customer"], -1)
        unknown_owners += owner == -1
        if owner != -1 and invoice["status"] in ("open", "paid"):
            invoiced[owner] += invoice["total"]
    subscribed = stripe.list_all("subscriptions", status="all")
    subscriptions = Counter(owners.get(each["customer"], -1) for each in subscribed)
    return LedgerSnapshot(
        tuple(_read_ledger(plan)), tuple(events), invoiced, unknown_owners, dict(subscriptions)
    )


def _read_ledger(plan: Plan) -> list[LedgerRow]:
    connection.close()  # it may be broken: the database was restarted
    clients: dict[str, Client] = {client.namespace: client for client in plan.clients}
    rows: Any = UsageRecord.objects.values_list(
        "pk", "repository__forge_account__namespace", "repository__name", "issue_number", "coverage"
    )
    return [
        LedgerRow(str(pk), clients[namespace].number, name, issue, coverage)
        for pk, namespace, name, issue, coverage in rows.iterator()
    ]
