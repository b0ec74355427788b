"""A row of the ledger is told to Stripe's meter: exactly once, whatever dies in between."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing import stripe_gateway
from billing.models import BillingAccount, UsageReport
from billing.retries import LEASE, schedule_retry

log = structlog.get_logger(__name__)

# Stripe forgets a meter event's identifier after 24 hours; an hour of that is left for the call itself.
IDENTIFIER_WINDOW = timedelta(hours=23)

Status = UsageReport.Status


@dataclass(frozen=True)
class Lease:
    """The right to send one report for a while. `is_uncertain`: sent once, too long ago to ask again."""

    event: stripe_gateway.MeterEvent
    attempts: int
    is_uncertain: bool


def report_usage(*, usage_id: UUID) -> None:
    """Send one report that is due; repeating it is safe, and a failure is put off, not raised.

    The instant and the fact of sending are committed before the call, so that after a crash the same
    event goes out again, which Stripe counts once within 24 hours. A report that has been uncertain for
    longer is settled against the meter's summaries before it is sent again (docs/decisions/004).
    """
    now = timezone.now()
    lease = _take_lease(usage_id, now)
    if lease is None:
        return
    try:
        if lease.is_uncertain and _is_counted(usage_id, lease.event):
            _finish(usage_id)
            return
        stripe_gateway.report_usage(lease.event)
    except stripe_gateway.StripeUnavailable as error:
        _put_off(usage_id, attempts=lease.attempts, error=str(error))
    except stripe_gateway.StripeRefused as error:
        _reject(usage_id, error=f"{error.code}: {error}")
    else:
        _finish(usage_id)


def requeue_report(*, usage_id: UUID, at: datetime) -> None:
    """Let a refused report be sent again, once what Stripe minded is mended."""
    UsageReport.objects.filter(pk=usage_id, status=Status.REJECTED).update(
        status=Status.PENDING, first_sent_at=None, next_attempt_at=at, last_error=""
    )


@transaction.atomic
def _take_lease(usage_id: UUID, now: datetime) -> Lease | None:
    report = (
        UsageReport.objects.select_for_update(of=("self",))
        .select_related("usage")
        .filter(pk=usage_id, status=Status.PENDING, next_attempt_at__lte=now)
        .first()
    )
    if report is None:
        return None
    account = BillingAccount.objects.get(customer_id=report.usage.customer_id)
    report.attempts += 1
    if account.stripe_customer_id is None or account.current_period_start is None:
        report.next_attempt_at = schedule_retry(attempts=report.attempts, now=now)
        report.last_error = "waits for the subscription"
        report.save()
        return None
    is_uncertain = report.first_sent_at is not None and now - report.first_sent_at > IDENTIFIER_WINDOW
    if report.first_sent_at is None:
        report.first_sent_at = now
    # A fix from before the period is billed in the period: the one before may be invoiced already.
    report.meter_at = report.meter_at or max(report.usage.occurred_at, account.current_period_start)
    report.next_attempt_at = now + LEASE
    report.save()
    event = stripe_gateway.MeterEvent(
        identifier=str(usage_id),
        stripe_customer_id=account.stripe_customer_id,
        at=report.meter_at,
        first_sent_at=report.first_sent_at,
    )
    return Lease(event=event, attempts=report.attempts, is_uncertain=is_uncertain)


def _is_counted(usage_id: UUID, event: stripe_gateway.MeterEvent) -> bool:
    """Whether the meter holds more in the event's minute than the reports that we know to be there.

    Reports of one customer and minute are alike: which of two uncertain ones arrived makes no difference.
    """
    minute = event.at.replace(second=0, microsecond=0)
    held = stripe_gateway.count_metered(stripe_customer_id=event.stripe_customer_id, minute=minute)
    customer_id = UsageReport.objects.values_list("usage__customer_id", flat=True).get(pk=usage_id)
    known = UsageReport.objects.filter(
        usage__customer_id=customer_id,
        status=Status.REPORTED,
        meter_at__gte=minute,
        meter_at__lt=minute + timedelta(minutes=1),
    ).count()
    log.info("report_settled", usage=str(usage_id), held=held, known=known)
    return held > known


def _finish(usage_id: UUID) -> None:
    UsageReport.objects.filter(pk=usage_id).update(
        status=Status.REPORTED, reported_at=timezone.now(), last_error=""
    )
    log.info("usage_reported", usage=str(usage_id))


def _put_off(usage_id: UUID, *, attempts: int, error: str) -> None:
    UsageReport.objects.filter(pk=usage_id).update(
        next_attempt_at=schedule_retry(attempts=attempts, now=timezone.now()), last_error=error[:300]
    )


def _reject(usage_id: UUID, *, error: str) -> None:
    UsageReport.objects.filter(pk=usage_id).update(status=Status.REJECTED, last_error=error[:300])
    log.error("usage_report_refused", usage=str(usage_id), error=error)
