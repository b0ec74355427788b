"""Invoices, as dj-stripe mirrors them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from djstripe.models import Invoice

from billing.models import PaymentIncident
from customers.models import Customer

from .prices import list_rates

# Disputes that cost nothing: the bank only asks, or has decided for us.
HARMLESS_DISPUTES = ("won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented")
FAILED_REFUNDS = ("failed", "canceled")


@dataclass(frozen=True)
class InvoiceLine:
    """An invoice as the portal lists it. Amounts are in cents of `currency`.

    `refunded_cents` went back to the customer, `disputed_cents` is asked back by their bank or was taken.
    """

    number: str
    status: str
    total_cents: int
    currency: str
    created_at: datetime
    period_end: datetime | None
    fixes: int
    page_url: str
    pdf_url: str
    id: str = ""
    due_cents: int = 0
    refunded_cents: int = 0
    disputed_cents: int = 0

    @property
    def reference(self) -> str:
        """What the invoice is called in addresses: its number, its id while it has none."""
        return self.id if self.number == "draft" else self.number


def list_invoices(*, customer: Customer, limit: int, offset: int = 0) -> list[InvoiceLine]:
    """The customer's invoices, newest first, as dj-stripe mirrors them."""
    found = Invoice.objects.filter(customer__subscriber=customer).order_by("-created", "-djstripe_id")
    rows = list(found[offset : offset + limit])
    metered = list_metered_prices()
    incidents = list_incidents(customer=customer, invoice_ids=[row.id for row in rows])
    return [
        read_invoice(row, metered, [each for each in incidents if each.invoice == row.id]) for row in rows
    ]


def list_open_invoices(*, customer: Customer, limit: int = 1) -> list[InvoiceLine]:
    """The customer's invoices that wait for payment and have a page to pay on, newest first."""
    found = Invoice.objects.filter(
        customer__subscriber=customer,
        stripe_data__status="open",
        stripe_data__hosted_invoice_url__startswith="http",
    )
    rows = list(found.order_by("-created", "-djstripe_id")[:limit])
    metered = list_metered_prices() if rows else set()
    return [read_invoice(row, metered) for row in rows]


def count_invoices(*, customer: Customer) -> int:
    return int(Invoice.objects.filter(customer__subscriber=customer).count())


def list_incidents(*, customer: Customer, invoice_ids: list[str]) -> list[PaymentIncident]:
    """Refunds and disputes of these invoices, newest first."""
    return list(PaymentIncident.objects.filter(customer=customer, invoice__in=invoice_ids))


def list_metered_prices() -> set[str]:
    """Ids of the prices whose quantity is fixes; ours and their predecessors, a handful."""
    return {price_id for price_id, rate in list_rates().items() if rate.is_metered}


def read_invoice(row: Invoice, metered: set[str], incidents: Iterable[PaymentIncident] = ()) -> InvoiceLine:
    """An invoice from what Stripe said of it."""
    data = row.stripe_data
    lines = data.get("lines", {}).get("data", [])
    period_end = data.get("period_end")
    return InvoiceLine(
        number=data.get("number") or "draft",
        status=data.get("status") or "draft",
        total_cents=data.get("total") or 0,
        currency=data.get("currency") or "usd",
        created_at=datetime.fromtimestamp(data["created"], UTC),
        period_end=datetime.fromtimestamp(period_end, UTC) if period_end else None,
        fixes=sum(line.get("quantity") or 0 for line in lines if read_price(line) in metered),
        page_url=data.get("hosted_invoice_url") or "",
        pdf_url=data.get("invoice_pdf") or "",
        id=row.id,
        due_cents=data.get("amount_remaining") or 0,
        refunded_cents=sum(each.amount_cents for each in incidents if _is_refund(each)),
        disputed_cents=sum(each.amount_cents for each in incidents if _is_held(each)),
    )


def read_price(line: dict[str, Any]) -> str | None:
    """The id of a line's price."""
    return ((line.get("pricing") or {}).get("price_details") or {}).get("price")


def _is_refund(incident: PaymentIncident) -> bool:
    return incident.kind == PaymentIncident.Kind.REFUND and incident.status not in FAILED_REFUNDS


def _is_held(incident: PaymentIncident) -> bool:
    return incident.kind == PaymentIncident.Kind.DISPUTE and incident.status not in HARMLESS_DISPUTES
