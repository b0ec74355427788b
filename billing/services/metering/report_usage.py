"""Report a ledger row to Stripe's meter exactly once, even if a worker or a request dies."""

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
from core.outbox import leases

log = structlog.get_logger(__name__)

# Stripe deduplicates meter events by identifier for 24 hours; one hour is left for the call itself.
# Source: https://docs.stripe.com/api/billing/meter-event
IDENTIFIER_WINDOW = timedelta(hours=23)
# Stripe aggregates meter events asynchronously. After this time the summaries include an event.
SUMMARY_LAG = timedelta(hours=1)
# Stripe keeps a period's invoice a draft for about an hour and adds late usage to it; ten minutes are left
# for the call itself.
LAST_INVOICE_OPEN = timedelta(minutes=50)
# Committed before the call, so that after a crash the row says which event Stripe may have counted.
SENT = ("meter_at", "earlier_meter_at", "first_sent_at", "generation")

Status = UsageReport.Status


def report_usage(*, usage_id: UUID) -> None:
    """Send one due report to Stripe. Safe to repeat; a Stripe failure is rescheduled, not raised.

    The event is committed before the call, so that after a crash the same identifier is sent again, which
    Stripe counts once within 24 hours. A report whose outcome has been unknown for longer is settled against
    the meter's summaries before it is sent again. While the billing feature flag is off or the customer is
    paused, the report stays due and uses no attempt.
    Source: docs/decisions/004-meter-each-fix-exactly-once.md.
    """
    due = UsageReport.list_due(timezone.now()).select_related("usage")
    report = leases.claim(due, pk=usage_id)
    if report is None:
        return
    try:
        # Before `_prepare`, which holds the account's row lock: this calls Stripe.
        _refresh_period(report.customer_id)
        event = _prepare(report, timezone.now())
        if event is not None:
            was_new = meter.report_usage(event)
            # A duplicate was counted under the timestamp of an earlier attempt, if that was a different one.
            _finish(report, meter_at=event.at if was_new else report.earlier_meter_at)
    except StripeUnavailable as error:
        if leases.reschedule(report, str(error)):
            USAGE_REPORTED.labels("rescheduled").inc()
    except StripeRejected as error:
        _reject(report, error=f"{error.code}: {error}")
    except Exception as error:
        leases.reschedule(report, leases.describe(error))
        raise


def is_reporting_paused(customer_id: UUID) -> bool:
    """Whether staff have paused reporting to Stripe, globally or for this customer."""
    is_paused = BillingAccount.objects.filter(pk=customer_id, paused_at__isnull=False).exists()
    return is_paused or not is_billing_enabled()


def _refresh_period(customer_id: UUID) -> None:
    """Sync the subscription from Stripe if its period has ended and no webhook has announced the next one."""
    account = BillingAccount.objects.get(pk=customer_id)
    if account.current_period_end is not None and account.current_period_end <= timezone.now():
        resync_account(account)


@transaction.atomic
def _prepare(report: UsageReport, now: datetime) -> MeterEvent | None:
    """Commit the event of a leased report; return None if it must wait or is already counted.

    Locks the customer's account, so that no other report of the customer is sent while this one is settled.
    Stripe is called under the lock only for that settlement, which a report needs a day after an outage.
    """
    account = BillingAccount.objects.select_for_update(of=("self",)).get(pk=report.customer_id)
    period_start, stripe_customer_id = account.current_period_start, account.stripe_customer_id
    is_billed = account.can_meter or _is_on_last_invoice(account, report, now)
    if not is_billed or period_start is None or stripe_customer_id is None:
        leases.reschedule(report, "waiting for a subscription")
        return None
    if report.first_sent_at is not None and now - report.first_sent_at > IDENTIFIER_WINDOW:
        if has_recent_neighbors(report, now):
            leases.reschedule(report, "waiting for other reports of its minute")
            return None
        if (counted_at := find_counted_time(report, stripe_customer_id)) is not None:
            if leases.complete(report, status=Status.REPORTED, reported_at=now, meter_at=counted_at):
                transaction.on_commit(USAGE_REPORTED.labels("settled").inc)
            return None
        # Not on the meter. The old identifier may still be deduplicated, so the next event gets a new one.
        report.first_sent_at, report.generation = now, report.generation + 1
    # A fix from before the period is billed in this period, because the previous one may be invoiced already.
    meter_at = max(report.usage.occurred_at, period_start)
    if report.meter_at is not None and report.meter_at != meter_at:
        report.earlier_meter_at = report.meter_at
    report.meter_at = meter_at
    report.first_sent_at = report.first_sent_at or now
    sent = {name: getattr(report, name) for name in SENT}
    if not leases.held(report).update(**sent):
        return None
    return MeterEvent(
        identifier=report.identifier,
        stripe_customer_id=stripe_customer_id,
        at=meter_at,
        attempt=report.attempts,
    )


def _is_on_last_invoice(account: BillingAccount, report: UsageReport, now: datetime) -> bool:
    """Whether the last invoice of a subscription that ended with its period is still a draft.

    A subscription that was canceled immediately is excluded: its last invoice is final at once.
    """
    end = account.current_period_end
    if account.status != BillingAccount.Status.CANCELED or end is None or account.subscription is None:
        return False
    ended_at = read_subscription(account.subscription).ended_at
    # Ended before its period did, so it was canceled immediately.
    if ended_at is None or ended_at < end.replace(microsecond=0):
        return False
    return report.usage.occurred_at < end <= now < end + LAST_INVOICE_OPEN


def _list_meter_times(report: UsageReport) -> list[datetime]:
    """Return the timestamps under which the meter may hold the report's event."""
    return [time for time in (report.meter_at, report.earlier_meter_at) if time is not None]


def _list_meter_minutes(report: UsageReport) -> list[datetime]:
    return [time.replace(second=0, microsecond=0) for time in _list_meter_times(report)]


def _list_reports_of_minute(report: UsageReport, minute: datetime) -> QuerySet[UsageReport]:
    return UsageReport.objects.filter(
        customer_id=report.customer_id, meter_at__gte=minute, meter_at__lt=minute + timedelta(minutes=1)
    ).exclude(pk=report.pk)


def has_recent_neighbors(report: UsageReport, now: datetime) -> bool:
    """Whether another report of the same minute makes the meter's summary inconclusive.

    That is one which is being sent or withdrawn, or was so recently that the summary may not include it.
    """
    in_flight = Q(status=Status.PENDING, first_sent_at__gt=now - IDENTIFIER_WINDOW)
    parked = Q(status=Status.PARKED, first_sent_at__isnull=False, parked_at__gt=now - SUMMARY_LAG)
    recent = parked | Q(status=Status.REPORTED, reported_at__gt=now - SUMMARY_LAG)
    adjusted = Q(usage__correction__report__resolution=CorrectionReport.Resolution.ADJUSTMENT)
    not_aggregated = Q(usage__correction__report__done_at=None) | Q(
        usage__correction__report__done_at__gt=now - SUMMARY_LAG
    )
    return any(
        _list_reports_of_minute(report, minute)
        .filter(in_flight | recent | (adjusted & not_aggregated))
        .exists()
        for minute in _list_meter_minutes(report)
    )


def count_known(report: UsageReport, minute: datetime) -> int:
    """Count the minute's other reports that are certainly on the meter."""
    return _list_reports_of_minute(report, minute).filter(status=Status.REPORTED).count()


def find_counted_time(report: UsageReport, stripe_customer_id: str) -> datetime | None:
    """Return the timestamp under which the meter counted the report, or None if it did not.

    The meter reports sums, not events: the report was counted if its minute holds more fixes than its known
    reports. Reports of one customer and minute are interchangeable, so it does not matter which of two
    uncertain ones arrived. Calls Stripe. Raises StripeUnavailable, StripeRejected.
    """
    for time in _list_meter_times(report):
        minute = time.replace(second=0, microsecond=0)
        held = count_metered(stripe_customer_id=stripe_customer_id, minute=minute)
        known = count_known(report, minute)
        log.info("report_settled", usage=str(report.pk), held=held, known=known)
        if held > known:
            return time
    return None


def _finish(report: UsageReport, *, meter_at: datetime | None) -> None:
    counted = {} if meter_at is None else {"meter_at": meter_at}
    if leases.complete(report, status=Status.REPORTED, reported_at=timezone.now(), **counted):
        USAGE_REPORTED.labels("reported").inc()
        log.info("usage_reported", usage=str(report.pk))


def _reject(report: UsageReport, *, error: str) -> None:
    if leases.park(report, error):
        USAGE_REPORTED.labels("rejected").inc()
        log.error("usage_report_rejected", usage=str(report.pk), error=error)
