"""A customer is told in time how far the included fixes and the spend cap are used."""

from datetime import datetime
from typing import Any

from billing.models import BillingAccount, Notification
from billing.pricing import compute_period_cents, find_share, find_share_of_cap
from billing.services.notifications.notify_customer import notify_customer

Kind = Notification.Kind


def watch_usage(*, account: BillingAccount, used: int, at: datetime) -> None:
    """Notify the customer when `used` fixes reach 50, 80 or 100 percent: once per share, period and limit.

    Only the highest share reached is announced. A raised cap or a larger trial is a new limit. Call in the
    transaction that records the fix, with the account locked. One query when a share is reached, else none.
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
        Notification.objects.filter(
            customer_id=account.customer_id, kind__in=(Kind.INCLUDED, Kind.CAP), reference__in=references
        ).values_list("kind", "reference")
    )
    for (kind, reference), data in reached.items():
        if (kind, reference) not in given:
            notify_customer(customer=account.customer, kind=kind, reference=reference, data=data, at=at)
