"""Fixes that stand as reported and are missing at the meter are settled anew."""

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
from core import outbox

log = structlog.get_logger(__name__)

MINUTE = timedelta(minutes=1)
Status = UsageReport.Status

UNDER_WAY = Q(usage__correction__isnull=False) & ~Q(
    usage__correction__report__status=CorrectionReport.Status.DONE
)
VOIDED = Q(
    usage__correction__kind=UsageCorrection.Kind.VOID,
    usage__correction__report__resolution=CorrectionReport.Resolution.NOTHING,
)


def repair_missing(finding: Finding, *, account: BillingAccount, rows: list[LedgerRow], at: datetime) -> None:
    """Find the minutes that lack fixes and let their reports be settled anew. Calls out; notes what it did.

    Nothing is sent from here: `report_usage` asks the meter again before it begins another generation. A
    fix whose identifier Stripe still remembers would be taken for a duplicate, and is left to a later run.
    Raises StripeUnavailable, StripeRejected.
    """
    if not account.can_meter or account.stripe_customer_id is None:
        finding.detail = "No subscription to bill them to."
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
    lacking = sum(missing.values())
    finding.detail = f"{settled} of {lacking} to be sent again, or withdrawn where voided."
    if settled < lacking:
        finding.detail += " The rest waits until Stripe forgets their identifiers."
    elif lacking:
        finding.state = Discrepancy.State.REPAIRED


def find_missing(
    minutes: list[datetime],
    *,
    count_held: Callable[[datetime, datetime], int],
    count_known: Callable[[datetime, datetime], int],
) -> dict[datetime, int]:
    """How many each minute lacks, by halving: a handful of calls however many minutes there are."""
    if not minutes:
        return {}
    start, end = minutes[0], minutes[-1] + MINUTE
    lacking = count_known(start, end) - count_held(start, end)
    if lacking <= 0:
        return {}
    if len(minutes) == 1:
        return {start: lacking}
    middle = len(minutes) // 2
    halves = (minutes[:middle], minutes[middle:])
    found: dict[datetime, int] = {}
    for half in halves:
        found |= find_missing(half, count_held=count_held, count_known=count_known)
    return found


@transaction.atomic
def _requeue(account: BillingAccount, minute: datetime, count: int, at: datetime) -> int:
    """Make up to so many reports of a minute due again, under the lock that reports are leased under.

    A voided fix is withdrawn and never sent anew, unless its price was given back: then it is to be billed.
    How many were settled either way.
    """
    BillingAccount.objects.select_for_update(of=("self",)).get(pk=account.pk)
    forgotten = (
        UsageReport.objects.filter(
            customer_id=account.pk,
            status=Status.REPORTED,
            meter_at__gte=floor_minute(minute),
            meter_at__lt=floor_minute(minute) + MINUTE,
            reported_at__lte=at - SUMMARY_LAG,
            first_sent_at__lt=at - IDENTIFIER_WINDOW,
        )
        .exclude(UNDER_WAY)
        .exclude(usage__correction__report__resolution=CorrectionReport.Resolution.ADJUSTMENT)
    )
    # Those that are voided and not credited come first: fixes of a minute are alike, and they need nothing.
    chosen = list(forgotten.order_by(Case(When(VOIDED, then=0), default=1), "pk")[:count])
    voided = set(forgotten.filter(VOIDED).values_list("pk", flat=True))
    lost = [report.pk for report in chosen if report.pk in voided]
    due = [report.pk for report in chosen if report.pk not in voided]
    rows = UsageReport.objects.filter(status=Status.REPORTED)
    voided_reason, due_reason = "voided, and not on the meter", "reported, but not on the meter"
    outbox.close(rows.filter(pk__in=lost), at=at, status=Status.WITHDRAWN, last_error=voided_reason)
    outbox.reopen(rows.filter(pk__in=due), at=at, last_error=due_reason)
    for usage_id in due:
        log.warning("usage_missing_at_stripe", usage=str(usage_id), customer=str(account.pk))
    return len(chosen)
