"""The price list, and what a customer owes. Pure, and independent of billing/.

The prices are repeated on purpose: importing them from billing/ would hide a mistake there.
"""

from .plan import PlanKey

TRIAL_FIXES = 10
PAYG_FIX_CENTS = 1500
TEAMS_MONTH_CENTS = 49900
TEAMS_INCLUDED = 60
TEAMS_FIX_CENTS = 800


def compute_invoiced_cents(plan: PlanKey, fixes: int) -> int:
    """Return the total of all invoices in cents, once the period of the fixes has ended.

    Teams pay the monthly price in advance, so they have been invoiced for the next period too.
    """
    if plan == "trial":
        return 0
    if plan == "payg":
        return fixes * PAYG_FIX_CENTS
    return 2 * TEAMS_MONTH_CENTS + max(0, fixes - TEAMS_INCLUDED) * TEAMS_FIX_CENTS
