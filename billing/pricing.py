"""Compute what fixes cost. Pure functions: integer US cents, whole fixes, no database, no Stripe.

Stripe computes what is billed, from the same prices. These functions compute what we display and compare.
"""

from collections.abc import Sequence
from fractions import Fraction

from .plans import Plan

# Percent of the included fixes, and of the spend cap, at which a customer is notified; highest first.
SHARES = (100, 80, 50)


# How many months an interval of Stripe's lasts, in a year of 365 days.
MONTHS = {"day": Fraction(12, 365), "week": Fraction(7 * 12, 365), "month": Fraction(1), "year": Fraction(12)}


def compute_monthly_cents(cents: int, *, interval: str, interval_count: int) -> int:
    """Return what a price counts for a month, such as a twelfth of an annual one, rounded to a whole cent.

    `interval` is a key of MONTHS.
    """
    return round(cents / (MONTHS[interval] * interval_count))


def count_overage(plan: Plan, fixes: int) -> int:
    """Return the fixes of a period beyond the included ones."""
    return max(0, fixes - plan.included)


def compute_usage_cents(plan: Plan, fixes: int) -> int:
    """Return what a period's fixes cost, without the monthly price."""
    return count_overage(plan, fixes) * plan.unit_price_cents


def compute_period_cents(plan: Plan, fixes: int) -> int:
    """Return what a period costs: the monthly price plus the fixes beyond the included ones."""
    return plan.monthly_price_cents + compute_usage_cents(plan, fixes)


def compute_held_cents(line_cents: int, *, subtotal_cents: int, total_cents: int, returned_cents: int) -> int:
    """Return what an invoice line cost, less its share of discounts and of what the customer got back.

    `returned_cents` was refunded or charged back. The share is proportional to the line's part of the
    invoice, rounded against the customer.
    """
    whole, kept = max(subtotal_cents, total_cents), max(0, total_cents - returned_cents)
    # An invoice that a credit line has brought to zero or below: nothing was charged that could be returned.
    if whole <= 0:
        return line_cents
    return line_cents * min(kept, whole) // whole


def count_remaining(plan: Plan, fixes: int) -> int | None:
    """Return the included fixes that are left, or None for a plan that includes none."""
    return max(0, plan.included - fixes) if plan.included else None


def compute_marginal_cents(plan: Plan, fixes: int) -> int:
    """Return what the last of a period's fixes adds to its cost."""
    return compute_usage_cents(plan, fixes) - compute_usage_cents(plan, max(0, fixes - 1))


def is_next_beyond_cap(plan: Plan, fixes: int, cap_cents: int | None) -> bool:
    """Whether one more fix is not free and would take the period beyond its cap. None means no cap."""
    if cap_cents is None or compute_marginal_cents(plan, fixes + 1) == 0:
        return False
    return compute_period_cents(plan, fixes + 1) > cap_cents


def begins_period(old: Plan, new: Plan) -> bool:
    """Whether a plan change starts a new month: one to a higher monthly price, which is charged in full."""
    return new.monthly_price_cents > old.monthly_price_cents


def is_rest_credited(old: Plan, new: Plan, fixes: int, *, elapsed_seconds: int, whole_seconds: int) -> bool:
    """Whether the rest of a monthly price is credited when the plan changes mid-month.

    It is credited if the month's fixes, at the new price, cost no more than the elapsed part of the monthly
    price. Otherwise a customer could use the included fixes and take the price back.
    Source: docs/decisions/007-plan-changes-and-failed-payments.md.
    """
    # Cross-multiplied, so that the comparison stays exact in integers.
    elapsed = min(max(0, elapsed_seconds), whole_seconds)
    return compute_usage_cents(new, fixes) * whole_seconds <= old.monthly_price_cents * elapsed


def price_each(included: int, unit_prices_cents: Sequence[int]) -> list[int]:
    """Return what each of a period's fixes costs, in counting order: the included ones are free."""
    return [0 if index < included else price for index, price in enumerate(unit_prices_cents)]


def find_share(used: int, of: int) -> int | None:
    """Return the highest of SHARES that `used` has reached of `of`, or None below all of them or of zero."""
    return next((share for share in SHARES if of and used * 100 >= of * share), None)


def find_share_of_cap(plan: Plan, fixes: int, cap_cents: int) -> int | None:
    """Return the highest of SHARES of the cap that a period's cost has reached, or None.

    100 as soon as the next fix would exceed the cap, even if the cost is below it.
    """
    if is_next_beyond_cap(plan, fixes, cap_cents):
        return SHARES[0]
    return find_share(compute_period_cents(plan, fixes), cap_cents)
