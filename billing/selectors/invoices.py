"""Invoices, as dj-stripe mirrors them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from djstripe.models import Invoice, Price

from customers.models import Customer


@dataclass(frozen=True)
class InvoiceLine:
    """An invoice as the portal lists it. Amounts are in cents of `currency`."""

    number: str
    status: str
    total_cents: int
    currency: str
    created_at: datetime
    period_end: datetime | None
    fixes: int
    page_url: str
    pdf_url: str


def list_invoices(*, customer: Customer, limit: int) -> list[InvoiceLine]:
    """The customer's invoices, newest first, as dj-stripe mirrors them."""
    rows = Invoice.objects.filter(customer__subscriber=customer).order_by("-created")[:limit]
    metered = _list_metered_prices()
    return [_read_invoice(row.stripe_data, metered) for row in rows]


def _list_metered_prices() -> set[str]:
    """Ids of the prices whose quantity is fixes; ours and their predecessors, a handful."""
    prices = Price.objects.values_list("id", "stripe_data__recurring__usage_type")
    return {price_id for price_id, usage_type in prices if usage_type == "metered"}


def _read_invoice(data: dict[str, Any], metered: set[str]) -> InvoiceLine:
    lines = data.get("lines", {}).get("data", [])
    period_end = data.get("period_end")
    return InvoiceLine(
        number=data.get("number") or "draft",
        status=data.get("status") or "draft",
        total_cents=data.get("total") or 0,
        currency=data.get("currency") or "usd",
        created_at=datetime.fromtimestamp(data["created"], UTC),
        period_end=datetime.fromtimestamp(period_end, UTC) if period_end else None,
        fixes=sum(line.get("quantity") or 0 for line in lines if _read_price(line) in metered),
        page_url=data.get("hosted_invoice_url") or "",
        pdf_url=data.get("invoice_pdf") or "",
    )


def _read_price(line: dict[str, Any]) -> str | None:
    return ((line.get("pricing") or {}).get("price_details") or {}).get("price")
