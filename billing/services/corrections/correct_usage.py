"""Void a fix or credit its price, on behalf of staff."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from billing.models import CorrectionReport, Notification, UsageCorrection, UsageRecord, UsageReport
from billing.services.metering.record_usage import lock_account
from billing.services.notifications.notify_customer import notify_customer
from core.errors import DomainError
from core.outbox import operators
from core.outbox.sweep import enqueue
from customers.models import User

log = structlog.get_logger(__name__)

Kind = UsageCorrection.Kind
Resolution = CorrectionReport.Resolution
NOT_REPORTED = (UsageReport.Status.PENDING, UsageReport.Status.PARKED)


class NothingToCorrect(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("This fix has already been corrected.")


class ReasonMissing(DomainError):
    code, status = "VALIDATION_ERROR", 422
    message = gettext_noop("Give a reason. The customer will see it.")


@transaction.atomic
def correct_usage(
    *, usage: UsageRecord, kind: UsageCorrection.Kind, reason: str, made_by: User | None, at: datetime
) -> UsageCorrection:
    """Record the correction of one fix, notify the customer, and enqueue its report to Stripe on commit.

    Voiding a trial fix frees its slot at once. A voided fix that was never sent to the meter is withdrawn and
    never sent. Makes no Stripe call. Not safe to repeat: a fix can be corrected once.
    Raises NothingToCorrect, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing(fields={"reason": ReasonMissing.message})
    lock_account(usage.customer)
    # Under this lock no second correction starts, and report_usage does not begin to send.
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
        enqueue(report)
    _tell_customer(correction, at)
    log.warning("usage_corrected", usage=str(usage.pk), kind=str(kind), resolution=str(report.resolution))
    return correction


def withdraw_unsent(usage_id: UUID, *, at: datetime) -> bool:
    """Withdraw a usage report that cannot have reached Stripe; return whether it was withdrawn.

    The caller holds the account's row lock. A report that a worker has leased is not withdrawn, because the
    worker may be about to send it.
    """
    unsent = UsageReport.objects.filter(pk=usage_id, first_sent_at=None, status__in=NOT_REPORTED)
    return operators.close(unsent, at=at, status=UsageReport.Status.WITHDRAWN) == 1


def _save_done(report: CorrectionReport, *, resolution: CorrectionReport.Resolution, at: datetime) -> None:
    """Save the report as done: Stripe needs no request for this correction."""
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
