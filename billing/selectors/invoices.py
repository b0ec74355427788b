"""List invoices from dj-stripe's mirror."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from djstripe.models import Invoice

from billing.models import PaymentIncident
from billing.stripe_gateway import mirrored
from billing.stripe_gateway.incidents import FAILED_REFUNDS, HARMLESS_DISPUTES
from billing.stripe_gateway.mirrored import list_metered_prices, list_payable_invoices
from billing.stripe_gateway.snapshots import InvoiceSnapshot
from customers.models import Customer

# The invoice of a fix ends the fix's monthly period; Stripe drafts it within days of that end.
INVOICED_WITHIN = timedelta(days=45)


@dataclass(frozen=True)
class InvoiceLine:
    """An invoice as the portal lists it. Amounts are in cents of `currency`.

    `refunded_cents` was refunded to the customer; `disputed_cents` is disputed, or was lost in a dispute.
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
        """The invoice's identifier in URLs: its number, or its id while it is a draft."""
        return self.id if self.number == "draft" else self.number


def list_invoices(*, customer: Customer, limit: int, offset: int = 0) -> list[InvoiceLine]:
    """List the customer's invoices, newest first."""
    # Stripe's times are whole seconds: the second key keeps pages apart.
    found = Invoice.objects.filter(customer__subscriber=customer).order_by("-created", "-djstripe_id")
    invoices = mirrored.list_invoices(found[offset : offset + limit])
    metered = list_metered_prices()
    incidents = list_incidents(customer=customer, invoice_ids=[each.invoice_id for each in invoices])
    return [
        describe_invoice(each, metered, [known for known in incidents if known.invoice == each.invoice_id])
        for each in invoices
    ]


def list_open_invoices(*, customer: Customer, limit: int = 1) -> list[InvoiceLine]:
    """List the customer's open invoices that have a hosted page to pay on, newest first."""
    invoices = list_payable_invoices(customer.pk, limit=limit)
    metered = list_metered_prices() if invoices else set()
    return [describe_invoice(each, metered) for each in invoices]


def find_invoice_with_fix(*, customer_id: UUID, meter_at: datetime) -> InvoiceLine | None:
    """Return the invoice whose metered line covers the time of a fix's meter event, None while there is none.

    Reads dj-stripe's mirror.
    """
    metered = list_metered_prices()
    later = Invoice.objects.filter(
        customer__subscriber=customer_id,
        created__gte=meter_at,
        created__lt=meter_at + INVOICED_WITHIN,
    )
    for invoice in mirrored.list_invoices(later.order_by("created")):
        if any(line.price_id in metered and line.covers(meter_at) for line in invoice.lines):
            return describe_invoice(invoice, metered)
    return None


def count_invoices(*, customer: Customer) -> int:
    return int(Invoice.objects.filter(customer__subscriber=customer).count())


def list_incidents(*, customer: Customer, invoice_ids: list[str]) -> list[PaymentIncident]:
    """List the refunds and disputes of these invoices, newest first."""
    return list(PaymentIncident.objects.filter(customer=customer, invoice__in=invoice_ids))


def describe_invoice(
    found: InvoiceSnapshot, metered: set[str], incidents: Iterable[PaymentIncident] = ()
) -> InvoiceLine:
    """Build the portal's row of an invoice. `metered` are the ids of the metered prices."""
    return InvoiceLine(
        number=found.number or "draft",
        status=found.status,
        total_cents=found.total_cents,
        currency=found.currency,
        created_at=found.created_at,
        period_end=found.period_end,
        fixes=sum(line.quantity for line in found.lines if line.price_id in metered),
        page_url=found.page_url,
        pdf_url=found.pdf_url,
        id=found.invoice_id,
        due_cents=found.remaining_cents,
        refunded_cents=sum(each.amount_cents for each in incidents if is_refunded(each)),
        disputed_cents=sum(each.amount_cents for each in incidents if is_disputed(each)),
    )


def is_refunded(incident: PaymentIncident) -> bool:
    """Whether the incident is a refund that has not failed."""
    return incident.kind == PaymentIncident.Kind.REFUND and incident.status not in FAILED_REFUNDS


def is_disputed(incident: PaymentIncident) -> bool:
    """Whether the incident is a dispute that withholds money, or that was lost."""
    return incident.kind == PaymentIncident.Kind.DISPUTE and incident.status not in HARMLESS_DISPUTES
