"""The price list, and what a customer owes by it. Pure, and independent of billing/.

It repeats the price page on purpose: prices imported from billing/ would hide a mistake there.
"""

from .plan import PlanKey

TRIAL_FIXES = 10
PAYG_FIX_CENTS = 1500
TEAMS_MONTH_CENTS = 49900
TEAMS_INCLUDED = 60
TEAMS_FIX_CENTS = 800


def compute_invoiced_cents(plan: PlanKey, fixes: int) -> int:
    """All invoices, once the period of the fixes has ended and the next has begun, which teams pay ahead."""
    if plan == "trial":
        return 0
    if plan == "payg":
        return fixes * PAYG_FIX_CENTS
    return 2 * TEAMS_MONTH_CENTS + max(0, fixes - TEAMS_INCLUDED) * TEAMS_FIX_CENTS
