"""A fix is off the meter: done, or credited where an invoice charged for it before."""

from datetime import datetime

import structlog
from django.db import transaction

from billing.models import BillingAccount, CorrectionReport, UsageCorrection, UsageReport
from billing.selectors.billed_lines import find_fix_price, is_being_invoiced, was_billed
from billing.stripe_gateway.audits import sync_invoices_of
from core import outbox

log = structlog.get_logger(__name__)

Resolution = CorrectionReport.Resolution
Status = CorrectionReport.Status


def close_adjustment(*, report: CorrectionReport, stripe_customer_id: str, at: datetime) -> str:
    """Finish what the meter let go of, or turn it into a credit; why it has to wait, empty where it need not.

    An adjustment changes no invoice that is final, and a plan or period may have ended before it went
    through: so the customer's invoices are read again. `report` is claimed. Calls out; repeating it is safe.
    Raises StripeUnavailable, StripeRejected.
    """
    sent = UsageReport.objects.get(usage__correction=report.pk)
    if sent.meter_at is None:
        return "waits for the fix's own report"
    sync_invoices_of(stripe_customer_id=stripe_customer_id, since=sent.meter_at)
    return _conclude(report, at)


@transaction.atomic
def _conclude(report: CorrectionReport, at: datetime) -> str:
    """Under the lock of the customer's account: of two fixes that are alike, each is looked at in turn."""
    correction = UsageCorrection.objects.select_related("usage__report").get(pk=report.pk)
    account = BillingAccount.objects.select_for_update(of=("self",)).get(pk=correction.customer_id)
    sent = correction.usage.report
    assert sent.meter_at is not None, "looked at before"
    if is_being_invoiced(customer_id=account.pk, meter_at=sent.meter_at):
        return "waits for the invoice of its period"
    price_cents = 0
    if was_billed(usage=correction.usage, meter_at=sent.meter_at):
        price_cents = find_fix_price(correction=correction, account=account) or 0
    if outbox.held(report).select_for_update().first() is None:
        return ""
    outbox.close(UsageReport.objects.filter(pk=sent.pk), at=at, status=UsageReport.Status.WITHDRAWN)
    if price_cents:
        reason = "taken off the meter after its invoice"
        outbox.release(report, reason, at=at, resolution=Resolution.CREDIT, amount_cents=price_cents)
    else:
        outbox.complete(report, status=Status.DONE, done_at=at)
    log.info("correction_adjusted", correction=str(report.pk), credited_cents=price_cents)
    return ""
