"""What an account's count and cost of fixes mean, in words. Pure."""

from billing.selectors import Entitlement
from core.formats import format_date


def describe_usage(entitlement: Entitlement) -> str:
    """What the count of fixes means, in words."""
    if not entitlement.included:
        return "Only fixes whose tests pass are counted"
    beyond = max(0, entitlement.used - entitlement.included)
    if beyond and entitlement.plan.is_metered:
        return f"{beyond} beyond the {entitlement.included} included"
    return f"{entitlement.remaining} left"


def describe_cost(entitlement: Entitlement) -> str:
    """What time the cost is of, in words."""
    if not entitlement.plan.is_metered:
        return "Nothing is billed during the trial"
    if entitlement.status == "canceled":
        return "Nothing more is billed"
    if entitlement.period_start and entitlement.period_end:
        start, end = format_date(entitlement.period_start), format_date(entitlement.period_end)
        return f"{start} to {end}, before tax"
    return "Since the plan was chosen, before tax"
