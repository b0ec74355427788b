"""A row of the ledger is told to Stripe's meter: exactly once, whatever dies in between."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing import selectors, stripe_gateway
from billing.metrics import USAGE_REPORTED
from billing.models import BillingAccount, CorrectionReport, UsageReport
from billing.retries import LEASE, schedule_retry

from .refresh_account import resync_account

log = structlog.get_logger(__name__)

# Stripe forgets a meter event's identifier after 24 hours; an hour of that is left for the call itself.
IDENTIFIER_WINDOW = timedelta(hours=23)
# The meter's summaries may lag behind what it was sent; after this long they do not.
SUMMARY_LAG = timedelta(hours=1)
# A period's invoice takes late usage for an hour; some of that is left for the call itself.
LAST_INVOICE_OPEN = timedelta(minutes=50)

Status = UsageReport.Status


@dataclass(frozen=True)
class Lease:
    """The right to send one report for a while."""

    event: stripe_gateway.MeterEvent
    earlier_meter_at: datetime | None


def report_usage(*, usage_id: UUID) -> None:
    """Send one report that is due; repeating it is safe, and a failure is put off, not raised.

    What is sent is committed before the call, so that after a crash the same identifier goes out again,
    which Stripe counts once within 24 hours. A report that has been uncertain for longer is settled against
    the meter's summaries before it is sent again. Source: docs/decisions/004-exactly-once.md.
    While billing is switched off, or the customer paused, it stays due and no attempt is spent.
    """
    due = UsageReport.objects.filter(pk=usage_id, status=Status.PENDING, next_attempt_at__lte=timezone.now())
    report = due.first()
    if report is None or is_held_back(report.customer_id):
        return
    try:
        _renew_period(report.customer_id)
        lease = _take_lease(usage_id, timezone.now())
        if lease is not None:
            was_new = stripe_gateway.report_usage(lease.event)
            _finish(usage_id, meter_at=lease.event.at if was_new else lease.earlier_meter_at)
    except stripe_gateway.StripeUnavailable as error:
        _put_off(usage_id, error=str(error))
    except stripe_gateway.StripeRefused as error:
        _reject(usage_id, error=f"{error.code}: {error}")


def is_held_back(customer_id: UUID) -> bool:
    """Whether staff let nothing go to Stripe, for everybody or for this customer."""
    is_paused = BillingAccount.objects.filter(pk=customer_id, paused_at__isnull=False).exists()
    return is_paused or not selectors.is_billing_enabled()


def requeue_report(*, usage_id: UUID, at: datetime) -> None:
    """Let a refused report be sent again, once what Stripe minded is mended. It may still be uncertain."""
    UsageReport.objects.filter(pk=usage_id, status=Status.REJECTED).update(
        status=Status.PENDING, next_attempt_at=at, last_error=""
    )


def _renew_period(customer_id: UUID) -> None:
    """Ask Stripe for the period that has begun, where its news has not reached us yet."""
    account = BillingAccount.objects.get(pk=customer_id)
    if account.current_period_end is not None and account.current_period_end <= timezone.now():
        resync_account(account)


@transaction.atomic
def _take_lease(usage_id: UUID, now: datetime) -> Lease | None:
    """Lease the report if it is due and can be sent; None where it has to wait or turns out to be counted.

    Locks the customer's account, so that no other of its reports is leased while this one is settled. Only
    a settlement, a day after an outage, calls out under the lock.
    """
    customer_id = UsageReport.objects.values_list("customer_id", flat=True).get(pk=usage_id)
    account = BillingAccount.objects.select_for_update(of=("self",)).get(pk=customer_id)
    report = (
        UsageReport.objects.select_for_update(of=("self",))
        .select_related("usage")
        .filter(pk=usage_id, status=Status.PENDING, next_attempt_at__lte=now)
        .first()
    )
    if report is None:
        return None
    report.attempts += 1
    period_start, stripe_customer_id = account.current_period_start, account.stripe_customer_id
    is_billed = account.can_meter or _is_on_last_invoice(account, report, now)
    if not is_billed or period_start is None or stripe_customer_id is None:
        _wait(report, now, "waits for a subscription")
        return None
    if report.first_sent_at is not None and now - report.first_sent_at > IDENTIFIER_WINDOW:
        if has_fresh_neighbours(report, now):
            _wait(report, now, "waits for others of its minute")
            return None
        if (counted_at := find_counted(report, stripe_customer_id)) is not None:
            report.meter_at = counted_at
            mark_reported(report, now)
            return None
        report.first_sent_at, report.bout = now, report.bout + 1
    # A fix from before the period is billed in the period: the one before may be invoiced already.
    meter_at = max(report.usage.occurred_at, period_start)
    if report.meter_at is not None and report.meter_at != meter_at:
        report.earlier_meter_at = report.meter_at
    report.meter_at = meter_at
    report.first_sent_at = report.first_sent_at or now
    report.next_attempt_at = now + LEASE
    report.save()
    event = stripe_gateway.MeterEvent(
        identifier=report.identifier,
        stripe_customer_id=stripe_customer_id,
        at=meter_at,
        attempt=report.attempts,
    )
    return Lease(event=event, earlier_meter_at=report.earlier_meter_at)


def _is_on_last_invoice(account: BillingAccount, report: UsageReport, now: datetime) -> bool:
    """Whether a subscription that ended with its period still bills a fix, its invoice being a draft.

    One that was ended at once has its last invoice made and final.
    """
    end = account.current_period_end
    if account.status != BillingAccount.Status.CANCELED or end is None or account.subscription is None:
        return False
    ended_at = stripe_gateway.read_subscription(account.subscription).ended_at
    if ended_at is None or ended_at < end.replace(microsecond=0):
        return False
    return report.usage.occurred_at < end <= now < end + LAST_INVOICE_OPEN


def _wait(report: UsageReport, now: datetime, reason: str) -> None:
    report.next_attempt_at = schedule_retry(attempts=report.attempts, now=now)
    report.last_error = reason
    report.save()


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
    young = Q(status=Status.REPORTED, reported_at__gt=now - SUMMARY_LAG)
    adjusted = Q(usage__correction__report__way=CorrectionReport.Way.ADJUSTMENT)
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
        held = stripe_gateway.count_metered(stripe_customer_id=stripe_customer_id, minute=minute)
        known = count_known(report, minute)
        log.info("report_settled", usage=str(report.pk), held=held, known=known)
        if held > known:
            return instant
    return None


def mark_reported(report: UsageReport, now: datetime) -> None:
    report.status, report.reported_at, report.last_error = Status.REPORTED, now, ""
    report.save()
    transaction.on_commit(USAGE_REPORTED.labels("settled").inc)


def _finish(usage_id: UUID, *, meter_at: datetime | None) -> None:
    fields = {"status": Status.REPORTED, "reported_at": timezone.now(), "last_error": ""}
    if meter_at is not None:
        fields["meter_at"] = meter_at
    reports = UsageReport.objects.filter(pk=usage_id)
    if reports.exclude(status=Status.REPORTED).update(**fields):
        USAGE_REPORTED.labels("reported").inc()
    else:  # another worker, that took over an expired lease, was first
        reports.update(**fields)
    log.info("usage_reported", usage=str(usage_id))


def _put_off(usage_id: UUID, *, error: str) -> None:
    pending = UsageReport.objects.filter(pk=usage_id, status=Status.PENDING)
    attempts = pending.values_list("attempts", flat=True).first() or 0
    next_attempt_at = schedule_retry(attempts=attempts, now=timezone.now())
    if pending.update(next_attempt_at=next_attempt_at, last_error=error[:300]):
        USAGE_REPORTED.labels("put_off").inc()


def _reject(usage_id: UUID, *, error: str) -> None:
    UsageReport.objects.filter(pk=usage_id).update(status=Status.REJECTED, last_error=error[:300])
    USAGE_REPORTED.labels("refused").inc()
    log.error("usage_report_refused", usage=str(usage_id), error=error)
