"""Report a row of the ledger to Stripe's meter: exactly once, whatever dies in between."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing.metrics import USAGE_REPORTED
from billing.models import BillingAccount, CorrectionReport, UsageReport
from billing.selectors.feature_flags import is_billing_enabled
from billing.services.subscriptions.refresh_account import resync_account
from billing.stripe_gateway import meter
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable
from billing.stripe_gateway.meter import MeterEvent, count_metered
from billing.stripe_gateway.mirrored import read_subscription
from core import outbox

log = structlog.get_logger(__name__)

# Stripe forgets a meter event's identifier after 24 hours; an hour of that is left for the call itself.
IDENTIFIER_WINDOW = timedelta(hours=23)
# The meter's summaries may lag behind what it was sent; after this long they do not.
SUMMARY_LAG = timedelta(hours=1)
# A period's invoice takes late usage for an hour; some of that is left for the call itself.
LAST_INVOICE_OPEN = timedelta(minutes=50)
# What is committed before a call, so that after a crash we know what may have been counted.
SENT = ("meter_at", "earlier_meter_at", "first_sent_at", "generation")

Status = UsageReport.Status


def report_usage(*, usage_id: UUID) -> None:
    """Send one report that is due; repeating it is safe, and a failure is rescheduled, not raised.

    What is sent is committed before the call, so that after a crash the same identifier goes out again,
    which Stripe counts once within 24 hours. A report that has been uncertain for longer is settled against
    the meter's summaries before it is sent again. Source: docs/decisions/004-meter-each-fix-exactly-once.md.
    While billing is switched off, or the customer paused, it stays due and no attempt is spent.
    """
    due = UsageReport.list_due(timezone.now()).select_related("usage")
    report = outbox.claim(due, pk=usage_id)
    if report is None:
        return
    try:
        _renew_period(report.customer_id)
        event = _prepare(report, timezone.now())
        if event is not None:
            was_new = meter.report_usage(event)
            _finish(report, meter_at=event.at if was_new else report.earlier_meter_at)
    except StripeUnavailable as error:
        if outbox.reschedule(report, str(error)):
            USAGE_REPORTED.labels("rescheduled").inc()
    except StripeRejected as error:
        _reject(report, error=f"{error.code}: {error}")
    except Exception as error:
        outbox.reschedule(report, outbox.describe(error))
        raise


def is_held_back(customer_id: UUID) -> bool:
    """Whether staff let nothing go to Stripe, for everybody or for this customer."""
    is_paused = BillingAccount.objects.filter(pk=customer_id, paused_at__isnull=False).exists()
    return is_paused or not is_billing_enabled()


def _renew_period(customer_id: UUID) -> None:
    """Ask Stripe for the period that has begun, where its news has not reached us yet."""
    account = BillingAccount.objects.get(pk=customer_id)
    if account.current_period_end is not None and account.current_period_end <= timezone.now():
        resync_account(account)


@transaction.atomic
def _prepare(report: UsageReport, now: datetime) -> MeterEvent | None:
    """Commit what a claimed report is going to send; None where it has to wait or turns out to be counted.

    Locks the customer's account, so that no other of its reports is sent while this one is settled. Only
    a settlement, a day after an outage, calls out under the lock.
    """
    account = BillingAccount.objects.select_for_update(of=("self",)).get(pk=report.customer_id)
    period_start, stripe_customer_id = account.current_period_start, account.stripe_customer_id
    is_billed = account.can_meter or _is_on_last_invoice(account, report, now)
    if not is_billed or period_start is None or stripe_customer_id is None:
        outbox.reschedule(report, "waits for a subscription")
        return None
    if report.first_sent_at is not None and now - report.first_sent_at > IDENTIFIER_WINDOW:
        if has_fresh_neighbours(report, now):
            outbox.reschedule(report, "waits for others of its minute")
            return None
        if (counted_at := find_counted(report, stripe_customer_id)) is not None:
            if outbox.complete(report, status=Status.REPORTED, reported_at=now, meter_at=counted_at):
                transaction.on_commit(USAGE_REPORTED.labels("settled").inc)
            return None
        report.first_sent_at, report.generation = now, report.generation + 1
    # A fix from before the period is billed in the period: the one before may be invoiced already.
    meter_at = max(report.usage.occurred_at, period_start)
    if report.meter_at is not None and report.meter_at != meter_at:
        report.earlier_meter_at = report.meter_at
    report.meter_at = meter_at
    report.first_sent_at = report.first_sent_at or now
    sent = {name: getattr(report, name) for name in SENT}
    if not outbox.held(report).update(**sent):
        return None
    return MeterEvent(
        identifier=report.identifier,
        stripe_customer_id=stripe_customer_id,
        at=meter_at,
        attempt=report.attempts,
    )


def _is_on_last_invoice(account: BillingAccount, report: UsageReport, now: datetime) -> bool:
    """Whether a subscription that ended with its period still bills a fix, its invoice being a draft.

    One that was ended at once has its last invoice made and final.
    """
    end = account.current_period_end
    if account.status != BillingAccount.Status.CANCELED or end is None or account.subscription is None:
        return False
    ended_at = read_subscription(account.subscription).ended_at
    if ended_at is None or ended_at < end.replace(microsecond=0):
        return False
    return report.usage.occurred_at < end <= now < end + LAST_INVOICE_OPEN


def _list_instants(report: UsageReport) -> list[datetime]:
    """Under which it may stand at the meter."""
    return [instant for instant in (report.meter_at, report.earlier_meter_at) if instant is not None]


def _list_meter_minutes(report: UsageReport) -> list[datetime]:
    return [instant.replace(second=0, microsecond=0) for instant in _list_instants(report)]


def _list_reports_of_minute(report: UsageReport, minute: datetime) -> QuerySet[UsageReport]:
    return UsageReport.objects.filter(
        customer_id=report.customer_id, meter_at__gte=minute, meter_at__lt=minute + timedelta(minutes=1)
    ).exclude(pk=report.pk)


def has_fresh_neighbours(report: UsageReport, now: datetime) -> bool:
    """Whether one of the same minute is being sent or taken back, or was too lately for the summary."""
    under_way = Q(status=Status.PENDING, first_sent_at__gt=now - IDENTIFIER_WINDOW)
    parked = Q(status=Status.PARKED, first_sent_at__isnull=False, parked_at__gt=now - SUMMARY_LAG)
    young = parked | Q(status=Status.REPORTED, reported_at__gt=now - SUMMARY_LAG)
    adjusted = Q(usage__correction__report__resolution=CorrectionReport.Resolution.ADJUSTMENT)
    lately = Q(usage__correction__report__done_at=None) | Q(
        usage__correction__report__done_at__gt=now - SUMMARY_LAG
    )
    return any(
        _list_reports_of_minute(report, minute).filter(under_way | young | (adjusted & lately)).exists()
        for minute in _list_meter_minutes(report)
    )


def count_known(report: UsageReport, minute: datetime) -> int:
    """The other reports of the minute that are on the meter for sure."""
    return _list_reports_of_minute(report, minute).filter(status=Status.REPORTED).count()


def find_counted(report: UsageReport, stripe_customer_id: str) -> datetime | None:
    """The report's instant in whose minute the meter holds more than the reports that we know to be there.

    Reports of one customer and minute are alike: which of two uncertain ones arrived makes no difference.
    """
    for instant in _list_instants(report):
        minute = instant.replace(second=0, microsecond=0)
        held = count_metered(stripe_customer_id=stripe_customer_id, minute=minute)
        known = count_known(report, minute)
        log.info("report_settled", usage=str(report.pk), held=held, known=known)
        if held > known:
            return instant
    return None


def _finish(report: UsageReport, *, meter_at: datetime | None) -> None:
    counted = {} if meter_at is None else {"meter_at": meter_at}
    if outbox.complete(report, status=Status.REPORTED, reported_at=timezone.now(), **counted):
        USAGE_REPORTED.labels("reported").inc()
        log.info("usage_reported", usage=str(report.pk))


def _reject(report: UsageReport, *, error: str) -> None:
    if outbox.park(report, error):
        USAGE_REPORTED.labels("refused").inc()
        log.error("usage_report_rejected", usage=str(report.pk), error=error)
