"""Park usage reports whose meter events Stripe accepted but did not count."""

from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing.metrics import METER_ERRORS
from billing.models import BillingAccount, CorrectionReport, UsageReport
from billing.stripe_gateway.meter_errors import MeterError, list_meter_errors
from core.outbox import operators

log = structlog.get_logger(__name__)

Status = UsageReport.Status
# Cleared, because these say where the meter may hold the event, and it certainly does not.
UNSENT = dict.fromkeys(("meter_at", "earlier_meter_at", "first_sent_at", "reported_at"))


class ReportInProgress(Exception):
    """A worker is sending the report. Try again after it has finished."""


def sync_meter_error(*, event_id: str) -> int:
    """Park the usage reports that a meter error report names, with Stripe's reason; return how many.

    Stripe says for certain that these events were not counted, so the next attempt starts a new generation
    with a new identifier, and later error reports about the old one are ignored. Stripe names only samples;
    reconciliation finds the fixes that are counted as errors but not named. Commits per report; calls Stripe;
    safe to repeat. Raises StripeUnavailable, StripeRejected, and ReportInProgress (after parking the others)
    for a report that a worker is sending.
    Source: https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api#handle-meter-event-errors
    """
    parked, in_progress = 0, []
    for error in list_meter_errors(event_id):
        METER_ERRORS.labels(error.code).inc()
        try:
            is_parked = _park(error)
        except ReportInProgress:
            in_progress.append(error.identifier)
            continue
        parked += is_parked
        log.error("meter_event_failed", identifier=error.identifier, code=error.code, is_parked=is_parked)
    if in_progress:
        raise ReportInProgress(", ".join(in_progress))
    return parked


@transaction.atomic
def _park(error: MeterError) -> bool:
    """Park one report under the account's row lock, which report_usage takes before it sends.

    Does nothing if the report has a newer generation by now.
    """
    usage_id = _read_usage_id(error.identifier)
    customer_id = UsageReport.objects.filter(pk=usage_id).values_list("customer_id", flat=True).first()
    if usage_id is None or customer_id is None:
        return False
    BillingAccount.objects.select_for_update(of=("self",)).get(pk=customer_id)
    report = UsageReport.objects.select_for_update(of=("self",)).get(pk=usage_id)
    if report.identifier != error.identifier or report.status == Status.WITHDRAWN:
        return False
    reason = f"{error.code}: {error.message}"[:240]
    if CorrectionReport.objects.filter(
        correction__usage=usage_id, resolution=CorrectionReport.Resolution.CREDIT
    ).exists():
        reason = f"{reason}; its price was credited, so send it again to bill it"
        log.error("credited_fix_not_billed", usage=str(usage_id))
    rows = UsageReport.objects.filter(pk=usage_id)
    generation = report.generation + 1
    if not operators.park_rows(rows, at=timezone.now(), reason=reason, generation=generation, **UNSENT):
        raise ReportInProgress(error.identifier)
    return True


def _read_usage_id(identifier: str) -> UUID | None:
    """Return the ledger row's id that an identifier starts with, or None if it is not one of ours."""
    try:
        # 36 characters are a UUID's text. Later generations append their number.
        return UUID(identifier[:36])
    except ValueError:
        return None
