"""A correction reaches Stripe: exactly once, whatever dies in between."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing import selectors, stripe_gateway
from billing.models import BillingAccount, CorrectionReport, UsageCorrection, UsageReport
from billing.retries import LEASE, schedule_retry

from .conclude_adjustment import conclude_adjustment
from .conclude_unbilled import conclude_unbilled
from .correct_usage import finish, withdraw_unsent
from .report_usage import IDENTIFIER_WINDOW, SUMMARY_LAG, count_known, has_fresh_neighbours, is_held_back
from .settle_refused import settle_refused

log = structlog.get_logger(__name__)

# An adjustment this shortly before a period's end might come after its invoice.
PERIOD_MARGIN = timedelta(hours=1)

Way = CorrectionReport.Way
Status = CorrectionReport.Status


@dataclass(frozen=True)
class Step:
    """What is to be sent to Stripe, committed before it is sent; undecided where Stripe is only asked."""

    way: str
    stripe_customer_id: str
    identifier: str
    amount_cents: int
    description: str
    attempt: int


def report_correction(*, correction_id: UUID) -> None:
    """Send one correction that is due; repeating it is safe, and a failure is put off, not raised.

    Which way it goes, and the amount, are committed before the call, and never decided anew after it. An
    adjustment that Stripe refuses is settled against the meter's sums. While billing is switched off, or
    the customer paused, it stays due.
    """
    due = CorrectionReport.objects.filter(
        pk=correction_id, status=Status.PENDING, next_attempt_at__lte=timezone.now()
    )
    customer_id = due.values_list("correction__customer_id", flat=True).first()
    if customer_id is None or is_held_back(customer_id):
        return
    step = None
    try:
        step = _take_lease(correction_id, customer_id, timezone.now())
        if step is not None:
            _carry_out(correction_id, step)
    except stripe_gateway.StripeUnavailable as error:
        _put_off(correction_id, str(error))
    except stripe_gateway.StripeRefused as error:
        _face_refusal(correction_id, step, f"{error.code}: {error}")


def requeue_correction(*, correction_id: UUID, at: datetime) -> None:
    """Let a refused credit be sent again, once what Stripe minded is mended."""
    CorrectionReport.objects.filter(pk=correction_id, status=Status.REJECTED).update(
        status=Status.PENDING, next_attempt_at=at, last_error=""
    )


@transaction.atomic
def _take_lease(correction_id: UUID, customer_id: UUID, now: datetime) -> Step | None:
    """Decide the way once and lease the correction; None where it has to wait or nothing is left to do.

    Under the lock of the customer's account, as the reports of usage are. Only where the fix's own report was
    refused after an uncertain attempt, the meter is asked meanwhile.
    """
    account = BillingAccount.objects.select_for_update(of=("self",)).get(pk=customer_id)
    report = (
        CorrectionReport.objects.select_for_update(of=("self",))
        .select_related("correction__usage__report")
        .filter(pk=correction_id, status=Status.PENDING, next_attempt_at__lte=now)
        .first()
    )
    if report is None:
        return None
    report.attempts += 1
    reason = _decide(report, account, now)
    if report.status == Status.DONE:
        return None
    stripe_customer_id = account.stripe_customer_id
    if reason or stripe_customer_id is None:
        _wait(report, now, reason or "waits for the customer at Stripe")
        return None
    report.next_attempt_at = now + LEASE
    report.save()
    usage = report.correction.usage
    return Step(
        way=report.way,
        stripe_customer_id=stripe_customer_id,
        identifier=usage.report.identifier,
        amount_cents=report.amount_cents,
        description=f"Fix of issue {usage.issue_number}: {report.correction.reason}",
        attempt=report.attempts,
    )


def _decide(report: CorrectionReport, account: BillingAccount, now: datetime) -> str:
    """Choose the way where none is chosen, or finish; why it has to wait, empty where it need not.

    What no plan billed, as far as is mirrored, stays undecided: Stripe is asked first.
    """
    if report.way == Way.CREDIT and report.amount_cents:
        return ""
    correction = report.correction
    sent = correction.usage.report
    if sent.status != UsageReport.Status.REPORTED:
        settle_refused(sent, stripe_customer_id=account.stripe_customer_id, now=now)
        if sent.status == UsageReport.Status.WITHDRAWN or _withdraw_refused(correction):
            finish(report, way=Way.WITHHELD, at=now)
        if sent.status != UsageReport.Status.REPORTED:
            return "waits for the fix's own report"
    if report.way == Way.ADJUSTMENT:
        return ""
    if report.way == Way.UNDECIDED and _can_adjust(correction, account, now):
        report.way = Way.ADJUSTMENT
        return ""
    price_cents = selectors.find_fix_price(correction=correction, account=account)
    if price_cents is None:
        if not selectors.was_without_plan(usage=correction.usage, account=account):
            return "waits for the invoice of its period"
        report.way = Way.UNDECIDED
        return ""
    if price_cents == 0:
        finish(report, way=Way.NOTHING, at=now)
    else:
        report.way, report.amount_cents = Way.CREDIT, price_cents
    return ""


def _withdraw_refused(correction: UsageCorrection) -> bool:
    """Whether the fix is never billed now: a void of what was not sent, or a credit of what was refused."""
    sent = correction.usage.report
    is_parked = sent.status == UsageReport.Status.REJECTED
    return (correction.kind == UsageCorrection.Kind.VOID or is_parked) and withdraw_unsent(sent.pk)


def _can_adjust(correction: UsageCorrection, account: BillingAccount, now: datetime) -> bool:
    """Whether Stripe surely still takes the fix off the meter, and no invoice has it yet."""
    sent, start, end = correction.usage.report, account.current_period_start, account.current_period_end
    if correction.kind != UsageCorrection.Kind.VOID or not account.can_meter or start is None or end is None:
        return False
    is_fresh = sent.first_sent_at is not None and now - sent.first_sent_at < IDENTIFIER_WINDOW
    in_period = sent.meter_at is not None and sent.meter_at >= start
    return is_fresh and in_period and now < end - PERIOD_MARGIN


def _carry_out(correction_id: UUID, step: Step) -> None:
    if step.way == Way.ADJUSTMENT:
        stripe_gateway.cancel_meter_event(
            identifier=step.identifier, correction_id=str(correction_id), attempt=step.attempt
        )
        _finish_adjustment(correction_id, step)
        return
    if step.way == Way.UNDECIDED:
        _finish_unbilled(correction_id, step)
        return
    stripe_id = stripe_gateway.credit_balance(
        stripe_customer_id=step.stripe_customer_id,
        correction_id=str(correction_id),
        amount_cents=step.amount_cents,
        description=step.description,
        attempt=step.attempt,
    )
    CorrectionReport.objects.filter(pk=correction_id).update(
        status=Status.DONE, done_at=timezone.now(), stripe_id=stripe_id, last_error=""
    )
    log.info("correction_credited", correction=str(correction_id), amount_cents=step.amount_cents)


def _finish_adjustment(correction_id: UUID, step: Step) -> None:
    reason = conclude_adjustment(
        correction_id=correction_id, stripe_customer_id=step.stripe_customer_id, at=timezone.now()
    )
    if reason:
        _put_off(correction_id, reason)


def _finish_unbilled(correction_id: UUID, step: Step) -> None:
    reason = conclude_unbilled(
        correction_id=correction_id, stripe_customer_id=step.stripe_customer_id, at=timezone.now()
    )
    if reason:
        _put_off(correction_id, reason)


def _face_refusal(correction_id: UUID, step: Step | None, error: str) -> None:
    if step is None or step.way == Way.UNDECIDED:
        _put_off(correction_id, error)
        return
    if step.way == Way.CREDIT:
        CorrectionReport.objects.filter(pk=correction_id).update(
            status=Status.REJECTED, last_error=error[:300]
        )
        log.error("credit_refused", correction=str(correction_id), error=error)
        return
    try:
        _settle_adjustment(correction_id, step, error)
    except stripe_gateway.StripeUnavailable as unavailable:
        _put_off(correction_id, str(unavailable))


def _settle_adjustment(correction_id: UUID, step: Step, error: str) -> None:
    """Learn from the meter whether an earlier attempt took the fix off; where not, it is credited instead."""
    sent = UsageReport.objects.get(usage__correction=correction_id)
    if sent.meter_at is None or sent.reported_at is None:
        _put_off(correction_id, f"{error}; waits for the fix's own report")
        return
    is_young = timezone.now() - sent.reported_at < SUMMARY_LAG
    if is_young or has_fresh_neighbours(sent, timezone.now()):
        _put_off(correction_id, f"{error}; waits for the meter's sums")
        return
    minute = sent.meter_at.replace(second=0, microsecond=0)
    held = stripe_gateway.count_metered(stripe_customer_id=step.stripe_customer_id, minute=minute)
    if held <= count_known(sent, minute):
        _finish_adjustment(correction_id, step)
        return
    CorrectionReport.objects.filter(pk=correction_id).update(
        way=Way.CREDIT, next_attempt_at=timezone.now(), last_error=error[:300]
    )
    log.warning("adjustment_refused", correction=str(correction_id), error=error)


def _wait(report: CorrectionReport, now: datetime, reason: str) -> None:
    report.next_attempt_at = schedule_retry(attempts=report.attempts, now=now)
    report.last_error = reason
    report.save()


def _put_off(correction_id: UUID, error: str) -> None:
    pending = CorrectionReport.objects.filter(pk=correction_id, status=Status.PENDING)
    attempts = pending.values_list("attempts", flat=True).first() or 0
    pending.update(
        next_attempt_at=schedule_retry(attempts=attempts, now=timezone.now()), last_error=error[:300]
    )
