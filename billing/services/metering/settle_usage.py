"""Make sure that Stripe has counted all usage before a price is removed from a subscription."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from billing.models import CorrectionReport, UsageReport
from billing.services.metering.report_usage import is_reporting_paused, report_usage
from core.errors import DomainError
from customers.models import Customer

Status = UsageReport.Status


class UsageStillUnreported(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("Some fixes have not reached the invoice yet. Try again in a few minutes.")


class BillingIsPaused(UsageStillUnreported):
    message = gettext_noop(
        "Billing for your account is paused, so its fixes cannot be invoiced now. "
        "Cancel the plan at the end of its period instead, or contact support."
    )


def settle_usage(*, customer: Customer) -> None:
    """Report the customer's pending usage and check that Stripe has had time to aggregate it.

    Commits each report; calls Stripe; safe to repeat. Raises UsageStillUnreported while a fix is unreported,
    or was reported or taken off the meter less than METER_SETTLE_SECONDS ago. If staff have paused reporting
    globally or for this customer, waiting does not help, and the error is BillingIsPaused.
    """
    reports = UsageReport.objects.filter(customer=customer)
    pending = reports.filter(status=Status.PENDING)
    # A report that a worker has leased is not due: its next attempt lies in the future.
    for usage_id in pending.filter(next_attempt_at__lte=timezone.now()).values_list("pk", flat=True):
        report_usage(usage_id=usage_id)
    # Stripe aggregates meter events asynchronously and documents no upper bound.
    settled_before = timezone.now() - timedelta(seconds=settings.METER_SETTLE_SECONDS)
    recent = Q(status=Status.REPORTED, reported_at__gt=settled_before)
    is_unsettled = reports.filter(Q(status=Status.PENDING) | recent).exists()
    if is_unsettled or _has_recent_adjustment(customer, settled_before):
        raise BillingIsPaused if is_reporting_paused(customer.pk) else UsageStillUnreported


def _has_recent_adjustment(customer: Customer, settled_before: datetime) -> bool:
    adjusted = CorrectionReport.objects.filter(
        correction__customer=customer, resolution=CorrectionReport.Resolution.ADJUSTMENT
    )
    pending = Q(status=CorrectionReport.Status.PENDING)
    return adjusted.filter(pending | Q(done_at__gt=settled_before)).exists()
