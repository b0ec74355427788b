"""What a period comes to if its rest goes on as it began. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.plans import Plan
from billing.pricing import compute_period_cents

# Before that, one fix more or less would say anything.
EARLIEST = timedelta(days=1)


@dataclass(frozen=True)
class Projection:
    """Fixes and cost (US cents, before tax) at the period's end. `is_capped`: the spend cap comes first."""

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
    """The period's end at the pace so far, never below what is used. None: too early, too late, no period."""
    if not plan.is_metered or start is None or end is None or not start + EARLIEST <= now < end:
        return None
    fixes = max(used, _divide_rounded(used * (end - start), now - start))
    bound = _count_within(plan, cap_cents)
    if bound is not None and fixes > max(bound, used):
        capped = max(bound, used)
        return Projection(capped, compute_period_cents(plan, capped), is_capped=True)
    return Projection(fixes, compute_period_cents(plan, fixes), is_capped=False)


def _divide_rounded(dividend: timedelta, divisor: timedelta) -> int:
    return (2 * dividend + divisor) // (2 * divisor)


def _count_within(plan: Plan, cap_cents: int | None) -> int | None:
    """How many fixes a cap lets through; the included ones always. None without a cap."""
    if cap_cents is None or not plan.unit_price_cents:
        return None
    return plan.included + max(0, cap_cents - plan.monthly_price_cents) // plan.unit_price_cents
