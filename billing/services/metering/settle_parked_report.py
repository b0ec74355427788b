"""Settle a parked usage report, whose last attempt had an unknown outcome, against the meter's summaries."""

from datetime import datetime

from django.db import transaction

from billing.metrics import USAGE_REPORTED
from billing.models import UsageReport
from billing.services.metering.report_usage import SUMMARY_LAG, find_counted_time, has_recent_neighbors
from core.outbox import operators

Status = UsageReport.Status


def settle_parked_report(report: UsageReport, *, stripe_customer_id: str | None, now: datetime) -> None:
    """Mark the parked report of a corrected fix as reported or withdrawn; leave it while that is uncertain.

    A parked report is not sent again, so the meter's summaries are conclusive once they include its last
    attempt. The caller holds the account's row lock. Calls Stripe; safe to repeat.
    Raises StripeUnavailable, StripeRejected.
    """
    if report.status != Status.PARKED or report.first_sent_at is None or stripe_customer_id is None:
        return
    # A report is parked after its last attempt has ended, so that attempt is no later than parked_at.
    is_recent = report.parked_at is not None and now < report.parked_at + SUMMARY_LAG
    if is_recent or has_recent_neighbors(report, now):
        return
    rows = UsageReport.objects.filter(pk=report.pk, status=Status.PARKED)
    counted_at = find_counted_time(report, stripe_customer_id)
    if counted_at is None:
        reason = "parked, corrected and not on the meter"
        operators.close(rows, at=now, status=Status.WITHDRAWN, last_error=reason)
    elif operators.close(rows, at=now, status=Status.REPORTED, reported_at=now, meter_at=counted_at):
        transaction.on_commit(USAGE_REPORTED.labels("settled").inc)
    # The updates above changed the row, and the caller continues with this object.
    report.refresh_from_db()
