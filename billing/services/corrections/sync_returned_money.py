"""Read from Stripe what the customer got back of the invoice that billed a fix."""

from datetime import datetime

from billing.models import UsageRecord
from billing.selectors.billed_lines import find_billed_fixes
from billing.services.payments.record_incident import record_invoice_incidents


def sync_returned_money(*, usage: UsageRecord, at: datetime) -> None:
    """Record the refunds and disputes of the invoice that billed a fix, if the mirror has one.

    A credit must not repeat a refund whose event has not arrived yet. Commits; calls Stripe; safe to repeat.
    Raises StripeUnavailable, StripeRejected.
    """
    meter_at = usage.report.meter_at
    billed = find_billed_fixes(usage=usage, meter_at=meter_at) if meter_at else None
    for invoice_id in billed.invoice_ids if billed else ():
        record_invoice_incidents(invoice_id=invoice_id, at=at)
