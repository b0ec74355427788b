"""A customer is told in time how far the included fixes and the spend cap are used."""

from datetime import datetime
from typing import Any

from billing.models import BillingAccount, Notice
from billing.pricing import compute_period_cents, find_share, find_share_of_cap
from billing.services.notifications.give_notice import give_notice

Kind = Notice.Kind


def watch_usage(*, account: BillingAccount, used: int, at: datetime) -> None:
    """Give the notice for the highest of 50, 80 and 100 percent that `used` fixes have reached, once each.

    Once for each period and bound: a raised cap, or a larger trial, is watched anew. Belongs into the
    transaction of the fix, its account locked. One query where a share is reached, none below.
    """
    plan = account.terms
    included = account.trial_fixes_limit if plan.key == "trial" else plan.included
    facts: dict[str, Any] = {
        "plan": plan.key,
        "period_end": account.current_period_end and account.current_period_end.isoformat(),
    }
    period = account.current_period_start or account.plan_chosen_at
    since = period.isoformat() if period and plan.is_metered else "trial"
    reached: dict[tuple[Kind, str], dict[str, Any]] = {}
    if share := find_share(used, included):
        reached[Kind.INCLUDED, f"{share}-{since}-{included}"] = facts | {
            "percent": share,
            "used": used,
            "included": included,
            "unit_price_cents": plan.unit_price_cents,
        }
    cap = account.spend_cap_cents
    if plan.is_metered and cap is not None and (share := find_share_of_cap(plan, used, cap)):
        spent = {"spent_cents": compute_period_cents(plan, used), "cap_cents": cap}
        reached[Kind.CAP, f"{share}-{since}-{cap}"] = facts | spent | {"percent": share}
    _give_new(account, reached, at)


def _give_new(account: BillingAccount, reached: dict[tuple[Kind, str], dict[str, Any]], at: datetime) -> None:
    if not reached:
        return
    references = [reference for _, reference in reached]
    given = set(
        Notice.objects.filter(
            customer_id=account.customer_id, kind__in=(Kind.INCLUDED, Kind.CAP), reference__in=references
        ).values_list("kind", "reference")
    )
    for (kind, reference), data in reached.items():
        if (kind, reference) not in given:
            give_notice(customer=account.customer, kind=kind, reference=reference, data=data, at=at)
