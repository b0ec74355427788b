"""A report that was parked after an attempt without an answer: counted or not, by the meter's sums."""

from datetime import datetime

from django.db import transaction

from billing.metrics import USAGE_REPORTED
from billing.models import UsageReport
from billing.services.metering.report_usage import SUMMARY_LAG, find_counted, has_fresh_neighbours
from core import outbox

Status = UsageReport.Status


def settle_rejected(report: UsageReport, *, stripe_customer_id: str | None, now: datetime) -> None:
    """Mark a parked report whose fix is corrected as reported or withdrawn; leave it while nobody can know.

    Nobody sends it again, so the meter's sums tell once they include its last attempt. Call it with the
    account locked; calls out. Raises StripeUnavailable, StripeRejected.
    """
    if report.status != Status.PARKED or report.first_sent_at is None or stripe_customer_id is None:
        return
    # Parked once its last attempt had ended.
    lags = report.parked_at is not None and now < report.parked_at + SUMMARY_LAG
    if lags or has_fresh_neighbours(report, now):
        return
    rows = UsageReport.objects.filter(pk=report.pk, status=Status.PARKED)
    counted_at = find_counted(report, stripe_customer_id)
    if counted_at is None:
        reason = "parked, corrected, and not on the meter"
        outbox.close(rows, at=now, status=Status.WITHDRAWN, last_error=reason)
    elif outbox.close(rows, at=now, status=Status.REPORTED, reported_at=now, meter_at=counted_at):
        transaction.on_commit(USAGE_REPORTED.labels("settled").inc)
    report.refresh_from_db()
