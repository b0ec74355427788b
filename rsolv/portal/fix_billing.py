"""What became of a fix in the ledger, on the meter and on an invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from djstripe.models import Invoice

from billing.models import UsageRecord
from billing.selectors.invoices import InvoiceLine, describe_invoice
from billing.stripe_gateway.mirrored import list_invoices, list_metered_prices
from phases.models import PhaseExecution

# A fix is on the invoice of its period: of a month, and what Stripe takes to draft it.
INVOICED_WITHIN = timedelta(days=45)


@dataclass(frozen=True)
class Bill:
    """A fix in the ledger. `state` is trial, unbilled, to_be_metered, metered, refused, voided or credited.

    The price is in US cents, of one fix beyond those that a plan includes.
    """

    state: str
    usage_id: UUID
    occurred_at: datetime
    unit_price_cents: int
    reported_at: datetime | None = None
    reason: str = ""
    invoice: InvoiceLine | None = None


Key = tuple[UUID, int | None]


def list_marks(executions: Sequence[PhaseExecution]) -> dict[Key, Bill]:
    """What the ledger says of these fixes, by repository and issue; nothing of those that are not in it."""
    usages = UsageRecord.objects.filter(execution__in=[each.pk for each in executions])
    rows = usages.select_related("report", "correction").order_by()
    return {(row.repository_id, row.issue_number): _to_bill(row) for row in rows}


def find_bill(*, execution: PhaseExecution, with_invoice: bool) -> Bill | None:
    """A fix's place in the ledger, and for those who see billing its invoice."""
    usage = (
        UsageRecord.objects.filter(
            repository=execution.repository_id, issue_number=execution.issue_number or 0
        )
        .select_related("report", "correction")
        .first()
    )
    if usage is None:
        return None
    report = getattr(usage, "report", None)
    meter_at = report.meter_at if report and report.status == "reported" else None
    invoice = _find_invoice(usage, meter_at) if with_invoice and meter_at else None
    return _to_bill(usage, invoice)


def _to_bill(usage: UsageRecord, invoice: InvoiceLine | None = None) -> Bill:
    correction, report = getattr(usage, "correction", None), getattr(usage, "report", None)
    if correction is not None:
        state = "voided" if correction.kind == "void" else "credited"
    elif usage.coverage != UsageRecord.Coverage.METERED:
        state = usage.coverage
    else:
        known = {"reported": "metered", "parked": "refused", "withdrawn": "voided"}
        state = known.get(report.status, "to_be_metered") if report else "to_be_metered"
    return Bill(
        state=state,
        usage_id=usage.pk,
        occurred_at=usage.occurred_at,
        unit_price_cents=usage.unit_price_cents,
        reported_at=report.reported_at if report else None,
        reason=correction.reason if correction else "",
        invoice=invoice,
    )


def _find_invoice(usage: UsageRecord, meter_at: datetime) -> InvoiceLine | None:
    """The invoice whose metered lines span the instant. Reads dj-stripe's mirror."""
    metered = list_metered_prices()
    later = Invoice.objects.filter(
        customer__subscriber=usage.customer_id,
        created__gte=meter_at,
        created__lt=meter_at + INVOICED_WITHIN,
    )
    for invoice in list_invoices(later.order_by("created")):
        if any(line.price_id in metered and line.covers(meter_at) for line in invoice.lines):
            return describe_invoice(invoice, metered)
    return None
