"""A fix of which no invoice will know gives nothing back, once Stripe has said that no plan ran."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction

from billing import selectors, stripe_gateway
from billing.locks import hold_stripe_customer
from billing.models import BillingAccount, CorrectionReport

from .correct_usage import finish
from .refresh_account import refresh_account

log = structlog.get_logger(__name__)

Way = CorrectionReport.Way
Status = CorrectionReport.Status


def conclude_unbilled(*, correction_id: UUID, stripe_customer_id: str, at: datetime) -> str:
    """Finish what no plan billed, as far as is mirrored; why it has to wait, empty where it need not.

    A plan's end may be heard of before the next plan's beginning, which bills the fix: so the customer's
    subscriptions are read anew. Calls out; repeating it is safe. Raises StripeUnavailable, StripeRefused.
    """
    with hold_stripe_customer(stripe_customer_id):
        stripe_gateway.sync_subscriptions(stripe_customer_id=stripe_customer_id)
        refresh_account(stripe_customer_id=stripe_customer_id)
    return _conclude(correction_id, at)


@transaction.atomic
def _conclude(correction_id: UUID, at: datetime) -> str:
    locked = BillingAccount.objects.select_for_update(of=("self",))
    account = locked.get(customer__usage_corrections=correction_id)
    reports = CorrectionReport.objects.select_related("correction__usage__report")
    report = reports.filter(pk=correction_id, status=Status.PENDING, way=Way.UNDECIDED).first()
    if report is None:  # another worker, that took over an expired lease, was first
        return ""
    correction = report.correction
    is_priced = selectors.find_fix_price(correction=correction, account=account) is not None
    if is_priced or not selectors.was_without_plan(usage=correction.usage, account=account):
        return "waits for the invoice of its period"
    finish(report, way=Way.NOTHING, at=at)
    log.info("correction_unbilled", correction=str(correction_id))
    return ""
