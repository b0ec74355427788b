"""Compare the ledger with Stripe's meter and the portal. Writes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models import BillingAccount, CorrectionReport, Discrepancy, UsageReport
from billing.selectors.ledger import LedgerRow
from billing.services.metering.report_usage import SUMMARY_LAG

Kind = Discrepancy.Kind
Status = UsageReport.Status


@dataclass(frozen=True)
class Span:
    """A period `[start, end)`. `minutes` rounds it down to whole minutes, the meter's resolution."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> tuple[datetime, datetime]:
        return floor_minute(self.start), floor_minute(self.end)

    def contains(self, time: datetime | None) -> bool:
        first, last = self.minutes
        return time is not None and first <= time < last


@dataclass
class Finding:
    """A difference between the sources, each as a number of fixes, and whether it was repaired."""

    kind: Discrepancy.Kind
    span: Span
    ledger: int
    stripe: int
    portal: int
    detail: str = ""
    state: Discrepancy.State = Discrepancy.State.OPEN


@dataclass(frozen=True)
class MeterBounds:
    """The fewest and the most fixes that the meter can hold according to the ledger."""

    sure: int
    possible: int


def is_void_pending(row: LedgerRow) -> bool:
    """Whether a void of the fix is not done yet, so that the fix may already be off the meter."""
    return row.correction in (CorrectionReport.Status.PENDING, CorrectionReport.Status.PARKED)


def floor_minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def count_bounds(rows: Iterable[LedgerRow], span: Span, *, at: datetime) -> MeterBounds:
    """Return how many fixes the meter must and may hold for a span.

    Fixes reported before SUMMARY_LAG are certain; later ones, and those in flight, may or may not be counted.
    A fix whose attempts used two timestamps is counted under one of them.
    """
    cutoff = at - SUMMARY_LAG
    sure = possible = 0
    for row in rows:
        in_span = span.contains(row.meter_at)
        if not in_span and not span.contains(row.earlier_meter_at):
            continue

        if is_void_pending(row):
            possible += 1
        elif row.status == Status.REPORTED and row.reported_at is not None and row.reported_at <= cutoff:
            # Once reported, `meter_at` is the counted timestamp, so an earlier one no longer matters.
            sure += in_span
            possible += in_span
        elif row.status == Status.WITHDRAWN:
            # The summaries may still include a fix that was taken off the meter within SUMMARY_LAG.
            possible += row.corrected_at is None or row.corrected_at > cutoff
        elif row.first_sent_at is not None:
            possible += 1
    return MeterBounds(sure, possible)


def compare_meter(bounds: MeterBounds, *, held: int, portal: int, span: Span) -> Finding | None:
    """Return a finding if the meter holds too few or too many fixes, or None if its count is possible."""
    if held < bounds.sure:
        return Finding(Kind.MISSING_AT_STRIPE, span, ledger=bounds.sure, stripe=held, portal=portal)
    if held > bounds.possible:
        return Finding(Kind.UNKNOWN_AT_STRIPE, span, ledger=bounds.possible, stripe=held, portal=portal)
    return None


def count_portal_fixes(rows: Iterable[LedgerRow], account: BillingAccount) -> int:
    """Count the fixes that the portal must show for the current period, from the ledger's rows.

    Deliberately independent of `count_period_fixes`, which is what it checks.
    """
    start = account.current_period_start
    return sum(
        row.status != Status.WITHDRAWN
        and (start is None or (time := _find_period_time(row)) is None or time >= start)
        for row in rows
    )


def _find_period_time(row: LedgerRow) -> datetime | None:
    """Return the time that decides a row's period: `occurred_at` for a parked row without a meter event."""
    is_parked = row.meter_at is None and row.status == Status.PARKED
    return row.occurred_at if is_parked else row.meter_at


def list_minutes(rows: Iterable[LedgerRow], span: Span) -> list[datetime]:
    """Return the minutes of a span that contain reported fixes, in order."""
    reported = (row.meter_at for row in rows if row.status == Status.REPORTED and span.contains(row.meter_at))
    return sorted({floor_minute(time) for time in reported if time is not None})


def clip_to_now(span: Span, *, at: datetime) -> Span:
    """Return the part of a period that has begun: the meter is never queried about the future."""
    return Span(span.start, min(span.end, floor_minute(at) + timedelta(minutes=1)))
