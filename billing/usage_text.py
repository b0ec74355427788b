"""Captions for an account's usage and cost. No database access."""

from django.utils.translation import gettext as _

from billing.selectors.entitlements import Entitlement
from core.formats import format_date


def describe_usage(entitlement: Entitlement) -> str:
    """Return the caption below the number of fixes."""
    if not entitlement.included:
        return _("Only fixes whose tests pass are counted")
    beyond = max(0, entitlement.used - entitlement.included)
    if beyond and entitlement.plan.is_metered:
        return _("%(count)s beyond the %(included)s included") % {
            "count": beyond,
            "included": entitlement.included,
        }
    return _("%(count)s left") % {"count": entitlement.remaining}


def describe_cost(entitlement: Entitlement) -> str:
    """Return the caption below the cost: the time that it covers."""
    if not entitlement.plan.is_metered:
        return _("Nothing is billed during the trial")
    if entitlement.status == "canceled":
        return _("Nothing more is billed")
    if entitlement.period_start and entitlement.period_end:
        start, end = format_date(entitlement.period_start), format_date(entitlement.period_end)
        return _("%(start)s to %(end)s, before tax") % {"start": start, "end": end}
    return _("Since the plan was chosen, before tax")
