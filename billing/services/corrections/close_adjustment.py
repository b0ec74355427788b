"""Close a correction whose fix was taken off the meter, or credit it if an invoice had already charged it."""

from datetime import datetime

import structlog
from django.db import transaction

from billing.models import BillingAccount, CorrectionReport, UsageCorrection, UsageReport
from billing.selectors.billed_lines import awaits_dispute, find_fix_price, is_being_invoiced, was_billed
from billing.services.corrections.sync_returned_money import sync_returned_money
from billing.stripe_gateway.audits import sync_customer_invoices
from core.outbox import leases, operators

log = structlog.get_logger(__name__)

Resolution = CorrectionReport.Resolution
Status = CorrectionReport.Status


def close_adjustment(*, report: CorrectionReport, stripe_customer_id: str, at: datetime) -> str:
    """Close an adjusted correction or turn it into a credit; return why it must wait, or an empty string.

    A meter adjustment does not change a final invoice, and the plan or period may have ended before the
    adjustment took effect, so the customer's invoices are synced from Stripe first. The caller holds the
    lease on `report`. Commits; calls Stripe; safe to repeat. Raises StripeUnavailable, StripeRejected.
    """
    sent = UsageReport.objects.get(usage__correction=report.pk)
    if sent.meter_at is None:
        return "waiting for the fix's usage report"
    sync_customer_invoices(stripe_customer_id=stripe_customer_id, since=sent.meter_at)
    sync_returned_money(usage=sent.usage, at=at)
    return _conclude(report, at)


@transaction.atomic
def _conclude(report: CorrectionReport, at: datetime) -> str:
    """Decide under the account's row lock.

    Fixes of one customer and period are interchangeable on an invoice. The lock processes corrections one at
    a time, so that two of them are not credited for the same billed fix.
    """
    correction = UsageCorrection.objects.select_related("usage__report").get(pk=report.pk)
    account = BillingAccount.objects.select_for_update(of=("self",)).get(pk=correction.customer_id)
    sent = correction.usage.report
    assert sent.meter_at is not None, "checked by the caller"
    if is_being_invoiced(customer_id=account.pk, meter_at=sent.meter_at):
        return "waiting for the period's invoice"
    price_cents = 0
    if was_billed(usage=correction.usage, meter_at=sent.meter_at):
        if awaits_dispute(usage=correction.usage):
            return "waiting for the outcome of a dispute"
        price_cents = find_fix_price(correction=correction, account=account) or 0
    # Without the lease another worker decides. The row lock keeps one from claiming it before this commits.
    if leases.held(report).select_for_update().first() is None:
        return ""
    operators.close(UsageReport.objects.filter(pk=sent.pk), at=at, status=UsageReport.Status.WITHDRAWN)
    if price_cents:
        reason = "taken off the meter after it was invoiced"
        # Due at once: the next attempt finds the amount committed and sends the credit.
        leases.release(report, reason, at=at, resolution=Resolution.CREDIT, amount_cents=price_cents)
    else:
        leases.complete(report, status=Status.DONE, done_at=at)
    log.info("correction_adjusted", correction=str(report.pk), credited_cents=price_cents)
    return ""
