"""Notify a customer when the included fixes or the spend cap reach 50, 80 or 100 percent."""

from datetime import datetime
from typing import Any

from billing.models import BillingAccount, Notification
from billing.pricing import compute_period_cents, find_share, find_share_of_cap
from billing.services.notifications.notify_customer import notify_customer

Kind = Notification.Kind


def notify_usage_thresholds(*, account: BillingAccount, used: int, at: datetime) -> None:
    """Notify the customer if `used` fixes have reached a threshold, once per threshold, period and limit.

    Only the highest threshold reached is announced. A raised cap or a larger trial counts as a new limit.
    Call inside the transaction that records the fix, with the account locked. Runs one query when a threshold
    is reached, else none; enqueues the notifications on commit.
    """
    plan = account.terms
    included = account.trial_fixes_limit if plan.key == "trial" else plan.included
    shared: dict[str, Any] = {
        "plan": plan.key,
        "period_end": account.current_period_end and account.current_period_end.isoformat(),
    }
    period = account.current_period_start or account.plan_chosen_at
    since = period.isoformat() if period and plan.is_metered else "trial"
    reached: dict[tuple[Kind, str], dict[str, Any]] = {}
    if share := find_share(used, included):
        reached[Kind.INCLUDED, f"{share}-{since}-{included}"] = shared | {
            "percent": share,
            "used": used,
            "included": included,
            "unit_price_cents": plan.unit_price_cents,
        }
    cap = account.spend_cap_cents
    if plan.is_metered and cap is not None and (share := find_share_of_cap(plan, used, cap)):
        spent = {"spent_cents": compute_period_cents(plan, used), "cap_cents": cap}
        reached[Kind.CAP, f"{share}-{since}-{cap}"] = shared | spent | {"percent": share}
    _notify_once(account, reached, at)


def _notify_once(
    account: BillingAccount, reached: dict[tuple[Kind, str], dict[str, Any]], at: datetime
) -> None:
    if not reached:
        return
    # notify_customer is safe to repeat, but after a threshold it would write on each further fix.
    references = [reference for _, reference in reached]
    existing = set(
        Notification.objects.filter(
            customer_id=account.customer_id, kind__in=(Kind.INCLUDED, Kind.CAP), reference__in=references
        ).values_list("kind", "reference")
    )
    for (kind, reference), data in reached.items():
        if (kind, reference) not in existing:
            notify_customer(customer=account.customer, kind=kind, reference=reference, data=data, at=at)
