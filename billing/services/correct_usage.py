"""Staff void a fix, or give back what it costs."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from billing.models import CorrectionReport, Notice, UsageCorrection, UsageRecord, UsageReport
from core.errors import DomainError
from core.queue.enqueue import enqueue_on_commit
from customers.models import User

from .give_notice import give_notice
from .record_usage import lock_account

log = structlog.get_logger(__name__)

Kind = UsageCorrection.Kind
Way = CorrectionReport.Way


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
        finish(report, way=Way.NOTHING, at=at)
    elif kind == Kind.VOID and withdraw_unsent(usage.pk):
        finish(report, way=Way.WITHHELD, at=at)
    else:
        report.save()
        enqueue_on_commit("billing.tasks.report_correction", str(correction.pk))
    _tell_customer(correction, at)
    log.warning("usage_corrected", usage=str(usage.pk), kind=str(kind), way=str(report.way))
    return correction


def withdraw_unsent(usage_id: UUID) -> bool:
    """Take back a report if nothing of it can have reached Stripe; whether so. Wants the account locked."""
    unsent = UsageReport.objects.filter(
        pk=usage_id,
        status__in=(UsageReport.Status.PENDING, UsageReport.Status.REJECTED),
        first_sent_at=None,
    )
    return unsent.update(status=UsageReport.Status.WITHDRAWN, last_error="") == 1


def finish(report: CorrectionReport, *, way: CorrectionReport.Way, at: datetime) -> None:
    """Note that nothing is left to do."""
    report.status, report.way, report.done_at = CorrectionReport.Status.DONE, way, at
    report.last_error = ""
    report.save()


def _tell_customer(correction: UsageCorrection, at: datetime) -> None:
    usage = correction.usage
    give_notice(
        customer=correction.customer,
        kind=Notice.Kind.CORRECTED,
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
