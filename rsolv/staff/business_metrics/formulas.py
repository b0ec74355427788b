"""What the business figures mean: hold this file against what the admin shows. Pure: plain values in and out.

Every figure looks back from one instant, `at`. Amounts are integer US cents.
"""

import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

WINDOW = timedelta(days=30)
# How long a signup is given before it counts as one that did not come to it.
CONVERSION_TIME = timedelta(days=30)
ACTIVATION_TIME = timedelta(days=7)


@dataclass(frozen=True)
class Ratio:
    """`part` of `whole`; no value where there was nobody to ask about."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class Subscribed:
    """A stretch in which a customer had a paid plan; `until` None: it runs."""

    customer_id: UUID
    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or self.until > at)


def compute_conversion(
    *, signups: Mapping[UUID, datetime], stretches: Collection[Subscribed], at: datetime
) -> Ratio:
    """Of those who signed up 30 to 60 days ago, those who had a paid plan within 30 days of it."""
    cohort = _cut_cohort(signups, at - CONVERSION_TIME)
    won = {
        each.customer_id
        for each in stretches
        if each.customer_id in cohort and each.since <= cohort[each.customer_id] + CONVERSION_TIME
    }
    return Ratio(len(won), len(cohort))


def compute_activation(
    *, signups: Mapping[UUID, datetime], first_scans: Mapping[UUID, datetime], at: datetime
) -> Ratio:
    """Of those who signed up 7 to 37 days ago, those who had stored a scan within 7 days of it."""
    cohort = _cut_cohort(signups, at - ACTIVATION_TIME)
    active = [
        customer
        for customer, signed_up in cohort.items()
        if customer in first_scans and first_scans[customer] <= signed_up + ACTIVATION_TIME
    ]
    return Ratio(len(active), len(cohort))


def compute_churn(*, stretches: Collection[Subscribed], at: datetime) -> Ratio:
    """Of those who had a paid plan 30 days ago, those who have none now. A change of plan is no loss."""
    before = {each.customer_id for each in stretches if each.covers(at - WINDOW)}
    now = {each.customer_id for each in stretches if each.covers(at)}
    return Ratio(len(before - now), len(before))


def compute_first_scan_seconds(
    *, signups: Mapping[UUID, datetime], first_scans: Mapping[UUID, datetime], at: datetime
) -> tuple[float | None, float | None]:
    """Median and ninth decile, in seconds, from signup to a first scan of the last 30 days.

    Who signed up more than 60 days ago is left out: their return is no measure of the way in.
    """
    took = sorted(
        (scanned - signups[customer]).total_seconds()
        for customer, scanned in first_scans.items()
        if customer in signups and at - WINDOW < scanned <= at
    )
    if not took:
        return None, None
    deciles = statistics.quantiles(took, n=10, method="inclusive") if len(took) > 1 else took * 9
    return statistics.median(took), deciles[8]


def _cut_cohort(signups: Mapping[UUID, datetime], until: datetime) -> dict[UUID, datetime]:
    return {customer: at for customer, at in signups.items() if until - WINDOW < at <= until}
