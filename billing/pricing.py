"""What fixes cost. Pure: integer US cents, whole fixes, no database and no Stripe.

What is billed is what Stripe computes from the same prices; this is what we display beside it.
"""

from .plans import Plan


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
