"""Requeue usage reports that are marked as reported but are missing from Stripe's meter."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Case, Q, When

from billing.models import BillingAccount, CorrectionReport, Discrepancy, UsageCorrection, UsageReport
from billing.selectors.ledger import LedgerRow
from billing.services.metering.report_usage import IDENTIFIER_WINDOW, SUMMARY_LAG
from billing.services.reconciliation.compare_usage import Finding, floor_minute, list_minutes
from billing.stripe_gateway.meter import count_metered_between
from core.outbox import operators

log = structlog.get_logger(__name__)

MINUTE = timedelta(minutes=1)
Status = UsageReport.Status

# An open correction still decides whether its fix belongs on the meter.
CORRECTION_OPEN = Q(usage__correction__isnull=False) & ~Q(
    usage__correction__report__status=CorrectionReport.Status.DONE
)
VOIDED = Q(
    usage__correction__kind=UsageCorrection.Kind.VOID,
    usage__correction__report__resolution=CorrectionReport.Resolution.NOTHING,
)


def repair_missing(finding: Finding, *, account: BillingAccount, rows: list[LedgerRow], at: datetime) -> None:
    """Find the minutes whose fixes are missing and make their reports due again; update `finding`.

    Nothing is sent here: `report_usage` checks the meter again before it starts a new generation. A fix whose
    identifier Stripe still remembers would be rejected as a duplicate, so it is left to a later run.
    Commits once for each requeued minute; calls Stripe; safe to repeat. Raises StripeUnavailable,
    StripeRejected.
    """
    if not account.can_meter or account.stripe_customer_id is None:
        finding.detail = "There is no subscription to bill these fixes to."
        return
    stripe_customer_id = account.stripe_customer_id
    missing = find_missing(
        list_minutes(rows, finding.span),
        count_held=lambda start, end: count_metered_between(
            stripe_customer_id=stripe_customer_id, start=start, end=end
        ),
        count_known=lambda start, end: sum(
            row.status == Status.REPORTED and row.meter_at is not None and start <= row.meter_at < end
            for row in rows
        ),
    )
    settled = sum(_requeue(account, minute, count, at) for minute, count in missing.items())
    total = sum(missing.values())
    finding.detail = f"{settled} of {total} were requeued, or withdrawn if voided."
    if settled < total:
        finding.detail += " The others wait until Stripe's 24-hour deduplication window has passed."
    elif total:
        finding.state = Discrepancy.State.REPAIRED


def find_missing(
    minutes: list[datetime],
    *,
    count_held: Callable[[datetime, datetime], int],
    count_known: Callable[[datetime, datetime], int],
) -> dict[datetime, int]:
    """Return the number of missing fixes per minute.

    Bisects the sorted minutes, so that the number of calls grows with the logarithm of their number.
    """
    if not minutes:
        return {}
    start, end = minutes[0], minutes[-1] + MINUTE
    # Usage that is on the meter but not in the ledger hides as many missing fixes of the same span.
    missing = count_known(start, end) - count_held(start, end)
    if missing <= 0:
        return {}
    if len(minutes) == 1:
        return {start: missing}
    middle = len(minutes) // 2
    halves = (minutes[:middle], minutes[middle:])
    found: dict[datetime, int] = {}
    for half in halves:
        found |= find_missing(half, count_held=count_held, count_known=count_known)
    return found


@transaction.atomic
def _requeue(account: BillingAccount, minute: datetime, count: int, at: datetime) -> int:
    """Make up to `count` reports of a minute due again; return how many were requeued or withdrawn.

    Holds the account's row lock, which report_usage takes before it sends. A voided fix is withdrawn and
    never sent again, unless its price was credited: then it is sent, so that the credit offsets a charge.
    """
    BillingAccount.objects.select_for_update(of=("self",)).get(pk=account.pk)
    expired = (
        UsageReport.objects.filter(
            customer_id=account.pk,
            status=Status.REPORTED,
            meter_at__gte=floor_minute(minute),
            meter_at__lt=floor_minute(minute) + MINUTE,
            reported_at__lte=at - SUMMARY_LAG,
            first_sent_at__lt=at - IDENTIFIER_WINDOW,
        )
        .exclude(CORRECTION_OPEN)
        .exclude(usage__correction__report__resolution=CorrectionReport.Resolution.ADJUSTMENT)
    )
    # Fixes of one minute are interchangeable. Voided ones without a credit come first: withdrawing those
    # settles the difference without billing anything.
    chosen = list(expired.order_by(Case(When(VOIDED, then=0), default=1), "pk")[:count])
    voided = set(expired.filter(VOIDED).values_list("pk", flat=True))
    lost = [report.pk for report in chosen if report.pk in voided]
    due = [report.pk for report in chosen if report.pk not in voided]
    rows = UsageReport.objects.filter(status=Status.REPORTED)
    voided_reason, due_reason = "voided and not on the meter", "reported but not on the meter"
    operators.close(rows.filter(pk__in=lost), at=at, status=Status.WITHDRAWN, last_error=voided_reason)
    operators.reopen(rows.filter(pk__in=due), at=at, last_error=due_reason)
    for usage_id in due:
        log.warning("usage_missing_at_stripe", usage=str(usage_id), customer=str(account.pk))
    return len(chosen)
