"""What fixes cost. Pure: integer US cents, whole fixes, no database and no Stripe.

What is billed is what Stripe computes from the same prices; this is what we display beside it.
"""

from collections.abc import Sequence

from .plans import Plan

# Percent of what is included, and of a cap, at which a customer is told.
SHARES = (100, 80, 50)


def count_overage(plan: Plan, fixes: int) -> int:
    """Fixes of a period beyond those the plan includes."""
    return max(0, fixes - plan.included)


def compute_usage_cents(plan: Plan, fixes: int) -> int:
    """What a period's fixes cost beside the monthly price."""
    return count_overage(plan, fixes) * plan.unit_price_cents


def compute_period_cents(plan: Plan, fixes: int) -> int:
    """What a whole period costs: the monthly price and the fixes beyond the included ones."""
    return plan.monthly_price_cents + compute_usage_cents(plan, fixes)


def count_remaining(plan: Plan, fixes: int) -> int | None:
    """Fixes left before the next one costs or is refused; None where nothing is included."""
    return max(0, plan.included - fixes) if plan.included else None


def compute_marginal_cents(plan: Plan, fixes: int) -> int:
    """What the last of some fixes adds to a period's cost."""
    return compute_usage_cents(plan, fixes) - compute_usage_cents(plan, max(0, fixes - 1))


def is_next_beyond_cap(plan: Plan, fixes: int, cap_cents: int | None) -> bool:
    """Whether one more fix would cost something and take the period beyond its cap. None is no cap."""
    if cap_cents is None or compute_marginal_cents(plan, fixes + 1) == 0:
        return False
    return compute_period_cents(plan, fixes + 1) > cap_cents


def begins_period(old: Plan, new: Plan) -> bool:
    """Whether a change begins a new month: one to a higher monthly price, which is then charged in full."""
    return new.monthly_price_cents > old.monthly_price_cents


def is_given_back(old: Plan, new: Plan, fixes: int, *, elapsed_seconds: int, whole_seconds: int) -> bool:
    """Whether what is left of a monthly price is given back when a plan is left for another within the month.

    It is where the month's fixes cost no more by the new price than the time that is over has cost.
    """
    elapsed = min(max(0, elapsed_seconds), whole_seconds)
    return compute_usage_cents(new, fixes) * whole_seconds <= old.monthly_price_cents * elapsed


def price_each(included: int, unit_prices_cents: Sequence[int]) -> list[int]:
    """What each fix of a period costs, in the order in which they count: the included ones nothing."""
    return [0 if index < included else price for index, price in enumerate(unit_prices_cents)]


def find_share(used: int, of: int) -> int | None:
    """The highest of SHARES that some fixes have reached of others; None below them, or of nothing."""
    return next((share for share in SHARES if of and used * 100 >= of * share), None)


def find_share_of_cap(plan: Plan, fixes: int, cap_cents: int) -> int | None:
    """The highest of SHARES that a period's cost has reached. All of it, once the next fix is too much."""
    if is_next_beyond_cap(plan, fixes, cap_cents):
        return SHARES[0]
    return find_share(compute_period_cents(plan, fixes), cap_cents)
