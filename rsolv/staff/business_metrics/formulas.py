"""The definitions of the business metrics that the admin shows. Pure: plain values in and out.

Every metric looks back from one time, `at`. Amounts are integer US cents.
"""

import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

WINDOW = timedelta(days=30)
# A signup without a paid plan, or without a scan, within this time counts as not converted or not activated.
CONVERSION_TIME = timedelta(days=30)
ACTIVATION_TIME = timedelta(days=7)


@dataclass(frozen=True)
class Ratio:
    """`part` of `whole`. The value is None if `whole` is 0."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class Subscribed:
    """A period in which a customer had a paid plan. `until` is None while it runs."""

    customer_id: UUID
    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or self.until > at)


def compute_conversion(
    *, signups: Mapping[UUID, datetime], periods: Collection[Subscribed], at: datetime
) -> Ratio:
    """Return the share of signups 30 to 60 days ago that had a paid plan within 30 days."""
    cohort = _cut_cohort(signups, at - CONVERSION_TIME)
    won = {
        each.customer_id
        for each in periods
        if each.customer_id in cohort and each.since <= cohort[each.customer_id] + CONVERSION_TIME
    }
    return Ratio(len(won), len(cohort))


def compute_activation(
    *, signups: Mapping[UUID, datetime], first_scans: Mapping[UUID, datetime], at: datetime
) -> Ratio:
    """Return the share of signups 7 to 37 days ago that stored a scan within 7 days."""
    cohort = _cut_cohort(signups, at - ACTIVATION_TIME)
    active = [
        customer
        for customer, signed_up in cohort.items()
        if customer in first_scans and first_scans[customer] <= signed_up + ACTIVATION_TIME
    ]
    return Ratio(len(active), len(cohort))


def compute_churn(*, periods: Collection[Subscribed], at: datetime) -> Ratio:
    """Return the share of customers with a paid plan 30 days ago who have none now, whichever plan it was."""
    before = {each.customer_id for each in periods if each.covers(at - WINDOW)}
    now = {each.customer_id for each in periods if each.covers(at)}
    return Ratio(len(before - now), len(before))


def compute_first_scan_seconds(
    *, signups: Mapping[UUID, datetime], first_scans: Mapping[UUID, datetime], at: datetime
) -> tuple[float | None, float | None]:
    """Return median and 90th percentile of the seconds from signup to first scan, over the last 30 days.

    Customers who signed up more than 60 days ago are left out: a late return says nothing about onboarding.
    Both are None if there was no first scan.
    """
    # `signups` goes back 60 days only.
    took = sorted(
        (scanned - signups[customer]).total_seconds()
        for customer, scanned in first_scans.items()
        if customer in signups and at - WINDOW < scanned <= at
    )
    if not took:
        return None, None
    # quantiles() needs two values. Of one value, every decile is that value.
    deciles = statistics.quantiles(took, n=10, method="inclusive") if len(took) > 1 else took * 9
    return statistics.median(took), deciles[8]


def _cut_cohort(signups: Mapping[UUID, datetime], until: datetime) -> dict[UUID, datetime]:
    return {customer: at for customer, at in signups.items() if until - WINDOW < at <= until}
