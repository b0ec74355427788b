"""Whatever is due and stuck is handed out again, so that a lost queue loses nothing."""

import structlog
from django.utils import timezone

from billing import selectors
from billing.models import BillingAccount, CorrectionReport, InboxEvent, Notice, UsageReport
from rsolv.queue import enqueue_on_commit

from .follow_payment import block_overdue

log = structlog.get_logger(__name__)

BATCH = 1000


def sweep_billing() -> int:
    """Enqueue whatever is due, up to 1000 of each kind; return how many.

    Handing out something twice is harmless: each is leased by whoever starts first. Usage and corrections
    that staff hold back stay due. Whose grace has ended is told so first.
    """
    now = timezone.now()
    block_overdue(at=now)
    reports = UsageReport.objects.filter(status=UsageReport.Status.PENDING, next_attempt_at__lte=now)
    corrections = CorrectionReport.objects.filter(
        status=CorrectionReport.Status.PENDING, next_attempt_at__lte=now
    )
    notices = Notice.objects.filter(mailed_at=None, next_attempt_at__lte=now)
    if not selectors.is_billing_enabled():
        reports, corrections = reports.none(), corrections.none()
    reports = reports.filter(customer__billing_account__paused_at=None)
    corrections = corrections.filter(correction__customer__billing_account__paused_at=None)
    events = InboxEvent.objects.filter(processed_at=None, next_attempt_at__lte=now)
    accounts = BillingAccount.objects.filter(status=BillingAccount.Status.PENDING, next_attempt_at__lte=now)
    due = [
        *(("billing.tasks.open_subscription", pk) for pk in accounts.values_list("pk", flat=True)[:BATCH]),
        *(
            ("billing.tasks.process_webhook", pk)
            for pk in events.order_by("received_at").values_list("pk", flat=True)[:BATCH]
        ),
        *(
            ("billing.tasks.report_usage", pk)
            for pk in reports.order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH]
        ),
        *(
            ("billing.tasks.report_correction", pk)
            for pk in corrections.order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH]
        ),
        *(
            ("billing.tasks.mail_notice", pk)
            for pk in notices.order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH]
        ),
    ]
    for task, pk in due:
        enqueue_on_commit(task, str(pk))
    if due:
        log.info("billing_swept", count=len(due))
    return len(due)
