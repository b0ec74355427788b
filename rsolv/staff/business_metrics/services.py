"""Compute the business metrics of a day."""

from datetime import datetime

from billing.stripe_gateway.mirrored import sum_paid_cents
from rsolv.staff.business_metrics import formulas, selectors
from rsolv.staff.business_metrics.models import DailyBusinessMetrics


def take_business_metrics(*, at: datetime) -> DailyBusinessMetrics:
    """Compute and store the metrics of the UTC day of `at`. Repeating it replaces that day's row."""
    # The start of the oldest cohort, which is the one of the conversion.
    since = at - formulas.WINDOW - formulas.CONVERSION_TIME
    signups = selectors.list_signups(since=since)
    first_scans = selectors.list_first_scans(since=since)
    periods = selectors.list_subscribed_periods()
    conversion = formulas.compute_conversion(signups=signups, periods=periods, at=at)
    activation = formulas.compute_activation(signups=signups, first_scans=first_scans, at=at)
    churn = formulas.compute_churn(periods=periods, at=at)
    median, p90 = formulas.compute_first_scan_seconds(signups=signups, first_scans=first_scans, at=at)
    metrics, _ = DailyBusinessMetrics.objects.update_or_create(
        day=at.date(),
        defaults={
            "taken_at": at,
            "signups": sum(signed_up > at - formulas.WINDOW for signed_up in signups.values()),
            "converted": conversion.part,
            "convertible": conversion.whole,
            "activated": activation.part,
            "activatable": activation.whole,
            "churned": churn.part,
            "churnable": churn.whole,
            "recurring_cents": selectors.sum_recurring_cents(),
            "collected_cents": sum_paid_cents(since=at - formulas.WINDOW),
            "first_scan_median_seconds": median,
            "first_scan_p90_seconds": p90,
            **selectors.count_accounts(),
        },
    )
    return metrics
