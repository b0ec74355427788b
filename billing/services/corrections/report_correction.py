"""Report a correction to Stripe exactly once, even if a worker or a request dies."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount, CorrectionReport, UsageCorrection, UsageReport
from billing.selectors.billed_lines import awaits_dispute, find_fix_price, was_free
from billing.services.corrections.close_adjustment import close_adjustment
from billing.services.corrections.close_correction_without_credit import close_correction_without_credit
from billing.services.corrections.correct_usage import withdraw_unsent
from billing.services.corrections.sync_returned_money import sync_returned_money
from billing.services.metering.report_usage import (
    IDENTIFIER_WINDOW,
    SUMMARY_LAG,
    count_known,
    has_recent_neighbors,
)
from billing.services.metering.settle_parked_report import settle_parked_report
from billing.stripe_gateway.adjustments import cancel_meter_event, credit_balance
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.stripe_gateway.meter import count_metered
from core.outbox import leases

log = structlog.get_logger(__name__)

# An adjustment requested this close to the period's end might take effect after its invoice is created.
PERIOD_MARGIN = timedelta(hours=1)

Resolution = CorrectionReport.Resolution
Status = CorrectionReport.Status


@dataclass(frozen=True)
class Step:
    """The request to send to Stripe, committed before it is sent.

    With the resolution `UNDECIDED`, Stripe is only read. `amount_cents` is in US cents.
    """

    resolution: str
    stripe_customer_id: str
    identifier: str
    amount_cents: int
    description: str
    attempt: int


def report_correction(*, correction_id: UUID) -> None:
    """Send one due correction to Stripe. Safe to repeat; a Stripe failure is rescheduled, not raised.

    The resolution and the amount are committed before the call and never decided twice, so that a retry
    repeats the same request. If Stripe rejects an adjustment, the meter's summaries decide whether the fix is
    credited instead. The report stays due while the billing feature flag is off or the customer is paused.
    Source: docs/decisions/009-spend-caps-claims-and-corrections.md
    """
    due = CorrectionReport.list_due(timezone.now()).select_related("correction__usage__report")
    report = leases.claim(due, pk=correction_id)
    if report is None:
        return
    step = None
    try:
        if not report.amount_cents:
            sync_returned_money(usage=report.correction.usage, at=timezone.now())
        step = _prepare(report, timezone.now())
        if step is not None:
            _send(report, step)
    except StripeUnavailable as error:
        leases.reschedule(report, str(error))
    except StripeRejected as error:
        _handle_rejection(report, step, f"{error.code}: {error}")
    except Exception as error:
        leases.reschedule(report, leases.describe(error))
        raise


@transaction.atomic
def _prepare(report: CorrectionReport, now: datetime) -> Step | None:
    """Decide the resolution of a leased correction once; return None if it must wait or is done.

    Holds the account's row lock, which usage reports take as well. Stripe is called under that lock in one
    case only: to look up a usage report that was parked after an attempt with an unknown outcome.
    """
    locked = BillingAccount.objects.select_for_update(of=("self",))
    account = locked.get(pk=report.correction.customer_id)
    # Read again: other transactions change the usage report while they hold this lock.
    report.correction.usage.report.refresh_from_db()
    reason = _decide(report, account, now)
    # `_decide` has closed it.
    if report.status == Status.DONE:
        return None
    decided = {"resolution": report.resolution, "amount_cents": report.amount_cents}
    stripe_customer_id = account.stripe_customer_id
    if reason or stripe_customer_id is None:
        leases.reschedule(report, reason or "waiting for the Stripe customer", **decided)
        return None
    # The lease has ended: another worker decides.
    if not leases.held(report).update(**decided):
        return None
    usage = report.correction.usage
    return Step(
        resolution=report.resolution,
        stripe_customer_id=stripe_customer_id,
        identifier=usage.report.identifier,
        amount_cents=report.amount_cents,
        description=f"Fix of issue {usage.issue_number}: {report.correction.reason}",
        attempt=report.attempts,
    )


def _decide(report: CorrectionReport, account: BillingAccount, now: datetime) -> str:
    """Choose the resolution, or close the report; return why it must wait, or an empty string.

    A fix that no plan billed according to the mirror stays `UNDECIDED`: Stripe is read before it is closed.
    """
    if report.resolution == Resolution.CREDIT and report.amount_cents:
        return ""
    correction = report.correction
    sent = correction.usage.report
    if sent.status != UsageReport.Status.REPORTED:
        settle_parked_report(sent, stripe_customer_id=account.stripe_customer_id, now=now)
        if sent.status == UsageReport.Status.WITHDRAWN or _withdraw_unsent(correction, now):
            _finish(report, resolution=Resolution.WITHHELD, at=now)
        if sent.status != UsageReport.Status.REPORTED:
            return "waiting for the fix's usage report"
    # Repeats the request, however late: Stripe's answer says whether the first one succeeded.
    if report.resolution == Resolution.ADJUSTMENT:
        return ""
    if report.resolution == Resolution.UNDECIDED and _can_adjust(correction, account, now):
        report.resolution = Resolution.ADJUSTMENT
        return ""
    if awaits_dispute(usage=correction.usage):
        return "waiting for the outcome of a dispute"
    price_cents = find_fix_price(correction=correction, account=account)
    if price_cents is None:
        if not was_free(usage=correction.usage, account=account):
            return "waiting for the period's invoice"
        report.resolution = Resolution.UNDECIDED
        return ""
    if price_cents == 0:
        _finish(report, resolution=Resolution.NOTHING, at=now)
    else:
        report.resolution, report.amount_cents = Resolution.CREDIT, price_cents
    return ""


def _finish(report: CorrectionReport, *, resolution: CorrectionReport.Resolution, at: datetime) -> None:
    leases.complete(report, status=Status.DONE, resolution=resolution, done_at=at)


def _withdraw_unsent(correction: UsageCorrection, now: datetime) -> bool:
    """Withdraw the report of a voided unsent fix or of a credited parked one; return whether it was."""
    sent = correction.usage.report
    is_parked = sent.status == UsageReport.Status.PARKED
    return (correction.kind == UsageCorrection.Kind.VOID or is_parked) and withdraw_unsent(sent.pk, at=now)


def _can_adjust(correction: UsageCorrection, account: BillingAccount, now: datetime) -> bool:
    """Whether Stripe certainly still accepts the adjustment and no invoice contains the fix yet."""
    sent, start, end = correction.usage.report, account.current_period_start, account.current_period_end
    if correction.kind != UsageCorrection.Kind.VOID or not account.can_meter or start is None or end is None:
        return False
    is_fresh = sent.first_sent_at is not None and now - sent.first_sent_at < IDENTIFIER_WINDOW
    in_period = sent.meter_at is not None and sent.meter_at >= start
    return is_fresh and in_period and now < end - PERIOD_MARGIN


def _send(report: CorrectionReport, step: Step) -> None:
    if step.resolution == Resolution.ADJUSTMENT:
        cancel_meter_event(identifier=step.identifier, correction_id=str(report.pk), attempt=step.attempt)
        _finish_adjustment(report, step)
        return
    if step.resolution == Resolution.UNDECIDED:
        _close_without_credit(report, step)
        return
    # One credit of a customer at a time. The lock is released before the outcome is written: a worker that
    # dies in between leaves a credit that the next attempt finds.
    with lock_stripe_customer(step.stripe_customer_id):
        stripe_id = credit_balance(
            stripe_customer_id=step.stripe_customer_id,
            correction_id=str(report.pk),
            amount_cents=step.amount_cents,
            description=step.description,
        )
    if leases.complete(report, status=Status.DONE, done_at=timezone.now(), stripe_id=stripe_id):
        log.info("correction_credited", correction=str(report.pk), amount_cents=step.amount_cents)


def _finish_adjustment(report: CorrectionReport, step: Step) -> None:
    reason = close_adjustment(report=report, stripe_customer_id=step.stripe_customer_id, at=timezone.now())
    if reason:
        leases.reschedule(report, reason)


def _close_without_credit(report: CorrectionReport, step: Step) -> None:
    reason = close_correction_without_credit(
        report=report, stripe_customer_id=step.stripe_customer_id, at=timezone.now()
    )
    if reason:
        leases.reschedule(report, reason)


def _handle_rejection(report: CorrectionReport, step: Step | None, error: str) -> None:
    # Only reads were rejected, which decides nothing about the correction.
    if step is None or step.resolution == Resolution.UNDECIDED:
        leases.reschedule(report, error)
        return
    if step.resolution == Resolution.CREDIT:
        if leases.park(report, error):
            log.error("credit_rejected", correction=str(report.pk), error=error)
        return
    try:
        _settle_adjustment(report, step, error)
    except StripeUnavailable as unavailable:
        leases.reschedule(report, str(unavailable))


def _settle_adjustment(report: CorrectionReport, step: Step, error: str) -> None:
    """Find out from the meter whether an earlier attempt succeeded; if not, credit the fix instead."""
    sent = UsageReport.objects.get(usage__correction=report.pk)
    if sent.meter_at is None or sent.reported_at is None:
        leases.reschedule(report, f"{error}; waiting for the fix's usage report")
        return
    is_recent = timezone.now() - sent.reported_at < SUMMARY_LAG
    if is_recent or has_recent_neighbors(sent, timezone.now()):
        leases.reschedule(report, f"{error}; waiting for the meter's summaries")
        return
    # The meter counts events, not identifiers. Fixes of one minute are interchangeable, so a count no higher
    # than that of the minute's other reports means that this fix is off the meter.
    minute = sent.meter_at.replace(second=0, microsecond=0)
    held = count_metered(stripe_customer_id=step.stripe_customer_id, minute=minute)
    if held <= count_known(sent, minute):
        _finish_adjustment(report, step)
        return
    # Without an amount: the next attempt finds the price, or waits for the invoice.
    if leases.release(report, error, at=timezone.now(), resolution=Resolution.CREDIT):
        log.warning("adjustment_rejected", correction=str(report.pk), error=error)
