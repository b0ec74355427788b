"""Fixes and cost at the end of a billing period, extrapolated from its pace so far. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.plans import Plan
from billing.pricing import compute_period_cents

# Earlier in the period, a single fix would change the result too much.
EARLIEST = timedelta(days=1)


@dataclass(frozen=True)
class Projection:
    """Fixes and cost (US cents, before tax) at the period's end. `is_capped`: the spend cap limits them."""

    fixes: int
    cents: int
    is_capped: bool


def project_period(
    *,
    plan: Plan,
    used: int,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
    cap_cents: int | None = None,
) -> Projection | None:
    """Extrapolate the fixes of the period `start <= now < end`; the result is never below `used`.

    Returns None on the first day of the period, outside it, without a period, and for a plan without usage.
    """
    if not plan.is_metered or start is None or end is None or not start + EARLIEST <= now < end:
        return None
    fixes = max(used, _divide_rounded(used * (end - start), now - start))
    # The cap may have been lowered below what is used already: that stays billed.
    bound = _count_within(plan, cap_cents)
    if bound is not None and fixes > max(bound, used):
        capped = max(bound, used)
        return Projection(capped, compute_period_cents(plan, capped), is_capped=True)
    return Projection(fixes, compute_period_cents(plan, fixes), is_capped=False)


def _divide_rounded(dividend: timedelta, divisor: timedelta) -> int:
    return (2 * dividend + divisor) // (2 * divisor)


def _count_within(plan: Plan, cap_cents: int | None) -> int | None:
    """Return how many fixes the spend cap allows, including the included ones. None without a cap."""
    if cap_cents is None or not plan.unit_price_cents:
        return None
    # The cap never blocks included fixes, even if it is below the monthly price.
    return plan.included + max(0, cap_cents - plan.monthly_price_cents) // plan.unit_price_cents
