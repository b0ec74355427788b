"""Staff void a fix, or give back what it costs."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from billing.models import CorrectionReport, Notification, UsageCorrection, UsageRecord, UsageReport
from billing.services.metering.record_usage import lock_account
from billing.services.notifications.notify_customer import notify_customer
from core import outbox
from core.errors import DomainError
from customers.models import User

log = structlog.get_logger(__name__)

Kind = UsageCorrection.Kind
Resolution = CorrectionReport.Resolution
NOT_REPORTED = (UsageReport.Status.PENDING, UsageReport.Status.PARKED)


class NothingToCorrect(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("This fix is corrected already.")


class ReasonMissing(DomainError):
    code, status = "VALIDATION_ERROR", 422
    message = gettext_noop("Say why: the customer reads it.")


@transaction.atomic
def correct_usage(
    *, usage: UsageRecord, kind: UsageCorrection.Kind, reason: str, made_by: User | None, at: datetime
) -> UsageCorrection:
    """Enter a correction of one fix, tell the customer, and ask for what it needs at Stripe on commit.

    A voided fix of the trial gives its slot back at once; one that was never sent to the meter is never
    sent. Raises NothingToCorrect, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing(fields={"reason": ReasonMissing.message})
    lock_account(usage.customer)
    if UsageCorrection.objects.filter(usage=usage).exists():
        raise NothingToCorrect
    correction = UsageCorrection.objects.create(
        usage=usage,
        customer=usage.customer,
        kind=kind,
        reason=reason.strip()[:500],
        made_by=made_by,
        created_at=at,
    )
    report = CorrectionReport(correction=correction, next_attempt_at=at)
    if usage.coverage != UsageRecord.Coverage.METERED:
        _save_done(report, resolution=Resolution.NOTHING, at=at)
    elif kind == Kind.VOID and withdraw_unsent(usage.pk, at=at):
        _save_done(report, resolution=Resolution.WITHHELD, at=at)
    else:
        report.save()
        outbox.enqueue(report)
    _tell_customer(correction, at)
    log.warning("usage_corrected", usage=str(usage.pk), kind=str(kind), resolution=str(report.resolution))
    return correction


def withdraw_unsent(usage_id: UUID, *, at: datetime) -> bool:
    """Take back a report if nothing of it can have reached Stripe; whether so. The account must be locked.

    One that a worker has just claimed is left to it: it may be sent in the next moment.
    """
    unsent = UsageReport.objects.filter(pk=usage_id, first_sent_at=None, status__in=NOT_REPORTED)
    return outbox.close(unsent, at=at, status=UsageReport.Status.WITHDRAWN) == 1


def _save_done(report: CorrectionReport, *, resolution: CorrectionReport.Resolution, at: datetime) -> None:
    """Nothing is to be sent to Stripe."""
    report.status, report.resolution, report.done_at = CorrectionReport.Status.DONE, resolution, at
    report.next_attempt_at = None
    report.save()


def _tell_customer(correction: UsageCorrection, at: datetime) -> None:
    usage = correction.usage
    notify_customer(
        customer=correction.customer,
        kind=Notification.Kind.CORRECTED,
        reference=str(correction.pk),
        data={
            "kind": correction.kind,
            "reason": correction.reason,
            "repository": usage.repository.full_name,
            "issue_number": usage.issue_number,
            "coverage": usage.coverage,
        },
        at=at,
    )
