"""Compare recent invoices with the ledger's fixes of their periods. Writes nothing."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from billing.models import Discrepancy, UsageReport
from billing.selectors.ledger import LedgerRow
from billing.services.reconciliation.compare_usage import Finding, Span
from billing.stripe_gateway.mirrored import list_invoices_by_customer, list_metered_prices

# The end of an immediately canceled subscription and that of its invoice's last line may differ by this much.
SLACK = timedelta(minutes=1)
FINAL = ("open", "paid", "uncollectible")
Billed = dict[tuple[datetime, datetime], int]


def list_billed_fixes(customer_ids: Collection[UUID], *, since: datetime) -> dict[UUID, Billed]:
    """Return, by customer, the fixes that mirrored final invoices charge per period, in two queries."""
    metered = list_metered_prices()
    found: dict[UUID, Billed] = defaultdict(Counter)
    for customer_id, invoices in list_invoices_by_customer(customer_ids, since=since).items():
        for invoice in invoices:
            for line in invoice.lines if invoice.status in FINAL else ():
                if line.price_id in metered:
                    found[customer_id][line.start, line.end] += line.quantity
    return found


def compare_invoices(
    rows: Iterable[LedgerRow], billed: Billed, *, closed: Span | None, is_closed_final: bool
) -> list[Finding]:
    """Return the periods whose invoiced fixes differ from the ledger's.

    A closed period without an invoice counts as invoiced with zero fixes. Fixes whose report has an unknown
    outcome, or that were withdrawn since, may or may not be on the invoice.
    """
    kept = list(rows)
    spans = dict(billed)
    if closed is not None and is_closed_final and not any(end > closed.end - SLACK for _, end in spans):
        spans[closed.start, closed.end] = 0
    findings = []
    for (start, end), quantity in sorted(spans.items()):
        inside = [row for row in kept if row.meter_at is not None and start <= row.meter_at < end]
        # An earlier attempt with another timestamp may be the one that Stripe has counted.
        before = sum(row.earlier_meter_at is not None and start <= row.earlier_meter_at < end for row in kept)
        sure = sum(row.status == UsageReport.Status.REPORTED for row in inside)
        if not sure <= quantity <= len(inside) + before:
            kind, span = Discrepancy.Kind.INVOICE, Span(start, end)
            findings.append(Finding(kind, span, ledger=sure, stripe=quantity, portal=quantity))
    return findings


def find_unbilled_fixes(rows: Iterable[LedgerRow], billed: Billed, *, gap: Span) -> list[Finding]:
    """Return a finding of the fixes that were metered while no plan was active and that no invoice charges.

    This happens to fixes made between a plan's end and the webhook that announces it. Fixes that staff have
    voided or credited are already handled.
    """
    lost = [
        row
        for row in rows
        if row.status == UsageReport.Status.REPORTED
        and not row.is_corrected
        and row.meter_at is not None
        and gap.start <= row.meter_at < gap.end
        and not any(start <= row.meter_at < end for start, end in billed)
    ]
    if not lost:
        return []
    detail = "No invoice contains these fixes. Void them, or bill them manually."
    return [Finding(Discrepancy.Kind.UNBILLED, gap, ledger=len(lost), stripe=0, portal=0, detail=detail)]
