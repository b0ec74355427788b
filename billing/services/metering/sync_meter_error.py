"""Stripe says that it did not count what it had accepted."""

from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing.metrics import METER_ERRORS
from billing.models import BillingAccount, CorrectionReport, UsageReport
from billing.stripe_gateway.meter_errors import MeterError, list_meter_errors
from core import outbox

log = structlog.get_logger(__name__)

Status = UsageReport.Status
UNSENT = dict.fromkeys(("meter_at", "earlier_meter_at", "first_sent_at", "reported_at"))


class ReportUnderWay(Exception):
    """A worker is sending the report: to be asked again once it has ended."""


def sync_meter_error(*, event_id: str) -> int:
    """Park the reports that an error report names for staff, with Stripe's reason; how many. Calls out.

    What was not counted is known not to be there, so a later attempt begins a new generation: its identifier
    is another, and news of the old one changes nothing any more. Safe to repeat. Fixes that the report counts
    and does not name are left to reconciliation. Raises StripeUnavailable, StripeRejected, and, once the
    others are parked, ReportUnderWay for one that a worker is sending.
    """
    parked, under_way = 0, []
    for error in list_meter_errors(event_id):
        METER_ERRORS.labels(error.code).inc()
        try:
            is_parked = _park(error)
        except ReportUnderWay:
            under_way.append(error.identifier)
            continue
        parked += is_parked
        log.error("meter_event_failed", identifier=error.identifier, code=error.code, is_parked=is_parked)
    if under_way:
        raise ReportUnderWay(", ".join(under_way))
    return parked


@transaction.atomic
def _park(error: MeterError) -> bool:
    """Under the lock that reports are leased under. What another report has replaced is left alone."""
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
        reason = f"{reason}; its price is given back: send it again to bill it"
        log.error("credited_fix_not_billed", usage=str(usage_id))
    rows = UsageReport.objects.filter(pk=usage_id)
    generation = report.generation + 1
    if not outbox.park_rows(rows, at=timezone.now(), reason=reason, generation=generation, **UNSENT):
        raise ReportUnderWay(error.identifier)
    return True


def _read_usage_id(identifier: str) -> UUID | None:
    """The ledger row that an identifier was derived from; None where it is none of ours."""
    try:
        return UUID(identifier[:36])
    except ValueError:
        return None
