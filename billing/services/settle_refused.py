"""A report that Stripe refused after an attempt without an answer: counted or not, by the meter's sums."""

from datetime import datetime

from billing.models import UsageReport
from billing.retries import LEASE

from .report_usage import SUMMARY_LAG, find_counted, has_fresh_neighbours, mark_reported

Status = UsageReport.Status


def settle_refused(report: UsageReport, *, stripe_customer_id: str | None, now: datetime) -> None:
    """Mark a refused report whose fix is corrected as reported or withdrawn; leave it while nobody can know.

    Nobody sends it anew, so that the meter's sums tell once they have caught up with its last attempt. Wants
    the account locked; calls out. Raises StripeUnavailable, StripeRefused.
    """
    is_uncertain = report.status == Status.REJECTED and report.first_sent_at is not None
    if not is_uncertain or stripe_customer_id is None:
        return
    # The last attempt had its lease until the next one.
    lags = now < report.next_attempt_at - LEASE + SUMMARY_LAG
    if lags or has_fresh_neighbours(report, now):
        return
    counted_at = find_counted(report, stripe_customer_id)
    if counted_at is not None:
        report.meter_at = counted_at
        mark_reported(report, now)
        return
    report.status, report.last_error = Status.WITHDRAWN, "refused, corrected, and not on the meter"
    report.save()
