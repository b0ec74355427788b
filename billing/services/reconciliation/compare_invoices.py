"""The last invoices held against the fixes of their periods."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from billing.models import Discrepancy, UsageReport
from billing.selectors.ledger import LedgerRow
from billing.services.reconciliation.compare_usage import Finding, Span
from billing.stripe_gateway.mirrored import list_invoices_by_customer, list_metered_prices

# Between the end of a subscription that is ended at once and that of its invoice's last line.
SLACK = timedelta(minutes=1)
FINAL = ("open", "paid", "uncollectible")
Billed = dict[tuple[datetime, datetime], int]


def list_billed(customer_ids: Collection[UUID], *, since: datetime) -> dict[UUID, Billed]:
    """By customer: the fixes that final invoices charge for each span, as mirrored, in two queries."""
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
    """Spans whose invoiced fixes are not those of the ledger. A closed period without an invoice is one.

    Reports that are uncertain may be on the invoice or not; so may those taken back since.
    """
    kept = list(rows)
    spans = dict(billed)
    if closed is not None and is_closed_final and not any(end > closed.end - SLACK for _, end in spans):
        spans[closed.start, closed.end] = 0
    findings = []
    for (start, end), quantity in sorted(spans.items()):
        inside = [row for row in kept if row.meter_at is not None and start <= row.meter_at < end]
        before = sum(row.earlier_meter_at is not None and start <= row.earlier_meter_at < end for row in kept)
        sure = sum(row.status == UsageReport.Status.REPORTED for row in inside)
        if not sure <= quantity <= len(inside) + before:
            kind, span = Discrepancy.Kind.INVOICE, Span(start, end)
            findings.append(Finding(kind, span, ledger=sure, stripe=quantity, portal=quantity))
    return findings


def find_unbilled(rows: Iterable[LedgerRow], billed: Billed, *, gap: Span) -> list[Finding]:
    """The fixes that were metered while no plan ran, which no invoice will charge for.

    They came while the news of a plan's end was on its way. What staff voided or credited is dealt with.
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
    detail = "No invoice has them: void them, or bill them by hand."
    return [Finding(Discrepancy.Kind.UNBILLED, gap, ledger=len(lost), stripe=0, portal=0, detail=detail)]
