"""What a worker should take up now."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from billing.models import BillingAccount, CorrectionReport, InboxEvent, Notice, UsageReport

from .switches import is_billing_enabled


def list_due(*, at: datetime) -> dict[str, QuerySet[Any]]:
    """The rows that are due, by the task that does them. What staff hold back is not."""
    reports = UsageReport.objects.filter(status=UsageReport.Status.PENDING, next_attempt_at__lte=at)
    corrections = CorrectionReport.objects.filter(
        status=CorrectionReport.Status.PENDING, next_attempt_at__lte=at
    )
    if not is_billing_enabled():
        reports, corrections = reports.none(), corrections.none()
    return {
        "billing.tasks.open_subscription": BillingAccount.objects.filter(
            status=BillingAccount.Status.PENDING, next_attempt_at__lte=at
        ),
        "billing.tasks.process_webhook": InboxEvent.objects.filter(
            processed_at=None, next_attempt_at__lte=at
        ).order_by("received_at"),
        "billing.tasks.report_usage": reports.filter(customer__billing_account__paused_at=None).order_by(
            "next_attempt_at"
        ),
        "billing.tasks.report_correction": corrections.filter(
            correction__customer__billing_account__paused_at=None
        ).order_by("next_attempt_at"),
        "billing.tasks.mail_notice": Notice.objects.filter(mailed_at=None, next_attempt_at__lte=at).order_by(
            "next_attempt_at"
        ),
    }
