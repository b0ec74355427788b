"""Close a correction without credit when no plan charged for the fix, as confirmed by Stripe."""

from datetime import datetime

import structlog
from django.db import transaction

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount, CorrectionReport, UsageCorrection
from billing.selectors.billed_lines import find_fix_price, was_free
from billing.services.subscriptions.refresh_account import refresh_account
from billing.stripe_gateway.subscriptions import sync_subscriptions
from core.outbox import leases

log = structlog.get_logger(__name__)

Resolution = CorrectionReport.Resolution
Status = CorrectionReport.Status


def close_correction_without_credit(
    *, report: CorrectionReport, stripe_customer_id: str, at: datetime
) -> str:
    """Close the correction of a fix that no plan charged for; return why it must wait, or an empty string.

    The mirror may already hold the end of one plan but not the start of the next, which bills the fix, so the
    customer's subscriptions are synced from Stripe first. The caller holds the lease on `report`. Commits;
    calls Stripe; safe to repeat. Raises StripeUnavailable, StripeRejected.
    """
    with lock_stripe_customer(stripe_customer_id):
        sync_subscriptions(stripe_customer_id=stripe_customer_id)
        refresh_account(stripe_customer_id=stripe_customer_id)
    return _conclude(report, at)


@transaction.atomic
def _conclude(report: CorrectionReport, at: datetime) -> str:
    locked = BillingAccount.objects.select_for_update(of=("self",))
    account = locked.get(customer__usage_corrections=report.pk)
    correction = UsageCorrection.objects.select_related("usage__report").get(pk=report.pk)
    is_priced = find_fix_price(correction=correction, account=account) is not None
    if is_priced or not was_free(usage=correction.usage, account=account):
        return "waiting for the period's invoice"
    if leases.complete(report, status=Status.DONE, resolution=Resolution.NOTHING, done_at=at):
        log.info("correction_unbilled", correction=str(report.pk))
    return ""
