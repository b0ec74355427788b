"""The ledger held against Stripe's meter and the portal. Compares, and changes nothing."""

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
    """A period `[start, end)`, and the whole minutes of it that the meter can be asked about."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> tuple[datetime, datetime]:
        return floor_minute(self.start), floor_minute(self.end)

    def holds(self, instant: datetime | None) -> bool:
        first, last = self.minutes
        return instant is not None and first <= instant < last


@dataclass
class Finding:
    """A difference, in fixes, and how it was left."""

    kind: Discrepancy.Kind
    span: Span
    ledger: int
    stripe: int
    portal: int
    detail: str = ""
    state: Discrepancy.State = Discrepancy.State.OPEN


@dataclass(frozen=True)
class MeterBounds:
    """What the meter must hold at least, and may hold at most, by the ledger."""

    sure: int
    possible: int


def is_being_taken_back(row: LedgerRow) -> bool:
    """Whether a void of the fix is under way: the meter may have let go of it already."""
    return row.correction in (CorrectionReport.Status.PENDING, CorrectionReport.Status.PARKED)


def floor_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def count_bounds(rows: Iterable[LedgerRow], span: Span, *, at: datetime) -> MeterBounds:
    """Reported fixes surely stand on the meter; younger ones, and what is under way, may or may not.

    A fix of which an attempt gave two instants stands at one of them.
    """
    lag = at - SUMMARY_LAG
    sure = possible = 0
    for row in rows:
        in_span = span.holds(row.meter_at)
        if not in_span and not span.holds(row.earlier_meter_at):
            continue
        if is_being_taken_back(row):
            possible += 1
        elif row.status == Status.REPORTED and row.reported_at is not None and row.reported_at <= lag:
            sure += in_span
            possible += in_span
        elif row.status == Status.WITHDRAWN:
            possible += row.corrected_at is None or row.corrected_at > lag
        elif row.first_sent_at is not None:
            possible += 1
    return MeterBounds(sure, possible)


def compare_meter(bounds: MeterBounds, *, held: int, portal: int, span: Span) -> Finding | None:
    """Too few or too many at the meter; None where it may be right."""
    if held < bounds.sure:
        return Finding(Kind.MISSING_AT_STRIPE, span, ledger=bounds.sure, stripe=held, portal=portal)
    if held > bounds.possible:
        return Finding(Kind.UNKNOWN_AT_STRIPE, span, ledger=bounds.possible, stripe=held, portal=portal)
    return None


def count_shown(rows: Iterable[LedgerRow], account: BillingAccount) -> int:
    """The fixes that the portal has to show for the current period, from the ledger's own rows."""
    start = account.current_period_start
    return sum(
        row.status != Status.WITHDRAWN
        and (start is None or (instant := _find_instant(row)) is None or instant >= start)
        for row in rows
    )


def _find_instant(row: LedgerRow) -> datetime | None:
    """What places a row in a period: a parked one that is not metered stays where it occurred."""
    is_parked = row.meter_at is None and row.status == Status.PARKED
    return row.occurred_at if is_parked else row.meter_at


def list_minutes(rows: Iterable[LedgerRow], span: Span) -> list[datetime]:
    """The minutes of a span in which fixes stand as reported, in order."""
    reported = (row.meter_at for row in rows if row.status == Status.REPORTED and span.holds(row.meter_at))
    return sorted({floor_minute(instant) for instant in reported if instant is not None})


def end_of_asking(span: Span, *, at: datetime) -> Span:
    """The part of a period that has begun: the meter is not asked about the future."""
    return Span(span.start, min(span.end, floor_minute(at) + timedelta(minutes=1)))
