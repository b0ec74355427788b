"""Before a price ends, what was used under it must have reached Stripe's sums."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from billing.models import CorrectionReport, UsageReport
from billing.services.metering.report_usage import is_held_back, report_usage
from core.errors import DomainError
from customers.models import Customer

Status = UsageReport.Status


class UsageStillUnreported(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("Some fixes are still on their way to the invoice. Try again in a few minutes.")


class BillingIsPaused(UsageStillUnreported):
    message = gettext_noop(
        "We have paused billing for your account, so its fixes cannot be invoiced now. "
        "End the plan with its period instead, or write to support."
    )


def settle_usage(*, customer: Customer) -> None:
    """Report what is left, and make sure that Stripe has had time to sum it. Calls out; repeatable.

    Raises UsageStillUnreported while anything is unreported or was reported lately; a fix that is being
    taken off the meter, or was lately, is waited for as well. Where staff keep fixes back for everybody or
    this customer, waiting does not help: BillingIsPaused says what does.
    """
    reports = UsageReport.objects.filter(customer=customer)
    pending = reports.filter(status=Status.PENDING)
    # One that a worker holds is left to it: its next attempt lies ahead.
    for usage_id in pending.filter(next_attempt_at__lte=timezone.now()).values_list("pk", flat=True):
        report_usage(usage_id=usage_id)
    # Stripe sums what its meter is sent a little later, and says no bound.
    settled_before = timezone.now() - timedelta(seconds=settings.METER_SETTLE_SECONDS)
    lately = Q(status=Status.REPORTED, reported_at__gt=settled_before)
    is_moving = reports.filter(Q(status=Status.PENDING) | lately).exists()
    if is_moving or _is_taking_back(customer, settled_before):
        raise BillingIsPaused if is_held_back(customer.pk) else UsageStillUnreported


def _is_taking_back(customer: Customer, settled_before: datetime) -> bool:
    adjusted = CorrectionReport.objects.filter(
        correction__customer=customer, resolution=CorrectionReport.Resolution.ADJUSTMENT
    )
    pending = Q(status=CorrectionReport.Status.PENDING)
    return adjusted.filter(pending | Q(done_at__gt=settled_before)).exists()
