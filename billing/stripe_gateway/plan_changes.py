"""A running subscription gets another plan's prices. Source:
https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup
"""

from dataclasses import dataclass
from typing import Any

from billing.plans import Plan, find_plan_by_product

from .client import get_client, read_id
from .errors import translate_errors
from .prices import find_price_ids, list_lookup_keys
from .snapshots import SubscriptionSnapshot
from .subscriptions import mirror_subscription


@dataclass(frozen=True)
class PreviewLine:
    """A line of the invoice that a change would make. Negative: given back."""

    description: str
    amount_cents: int
    quantity: int


@dataclass(frozen=True)
class PreviewedChange:
    """The invoice that a change would make. `prorated_at` is the Unix time that its prorations count from.

    `due_cents` is what the card pays: the total, less what the customer's balance holds, never below zero.
    The period is the one that runs before the change, in Unix time.
    """

    prorated_at: int | None
    due_cents: int
    total_cents: int
    lines: list[PreviewLine]
    period_start: int
    period_end: int


def preview_plan(
    *, subscription_id: str, plan: Plan, begins_period: bool, prorated_at: int | None = None
) -> PreviewedChange:
    """What `change_plan` would cost now, by Stripe's own sums, and its own clock too without `prorated_at`.

    Changes nothing.
    """
    with translate_errors("preview_plan"):
        subscription = get_client().v1.subscriptions.retrieve(subscription_id)
        items = subscription["items"].data
        details: Any = _describe_terms(begins_period, prorated_at)
        details["items"] = _describe_swap(subscription, plan)
        invoice = get_client().v1.invoices.create_preview(
            {"subscription": subscription_id, "subscription_details": details}
        )
        lines = list(invoice.lines.auto_paging_iter()) if invoice.lines.has_more else invoice.lines.data
        return PreviewedChange(
            prorated_at=max((line.period.start for line in lines if _is_prorated(line)), default=None),
            due_cents=invoice.amount_due,
            total_cents=invoice.total,
            lines=[PreviewLine(each.description or "", each.amount, each.quantity or 0) for each in lines],
            period_start=items[0].current_period_start,
            period_end=items[0].current_period_end,
        )


def change_plan(
    *,
    subscription_id: str,
    plan: Plan,
    begins_period: bool,
    prorated_at: int | None,
    request_key: str,
    may_stay_open: bool = False,
) -> SubscriptionSnapshot:
    """Swap the prices, invoice what was used and what is prorated, and collect it: all of it or nothing.

    With `begins_period` a new month begins now at its full price; else prorations count from `prorated_at`.
    A subscription that has the plan's prices is left as it is. Where the card is declined nothing changes,
    unless the invoice `may_stay_open`. Raises CardRefused.
    """
    with translate_errors("change_plan"):
        subscription = get_client().v1.subscriptions.retrieve(subscription_id)
        swap = _describe_swap(subscription, plan)
        if not swap:
            return mirror_subscription(subscription)
        behavior = "allow_incomplete" if may_stay_open else "error_if_incomplete"
        parameters: Any = _describe_terms(begins_period, prorated_at)
        parameters |= {"items": swap, "payment_behavior": behavior}
        key = f"plan-{subscription_id}-{plan.key}-{request_key}-{behavior}"
        changed = get_client().v1.subscriptions.update(subscription_id, parameters, {"idempotency_key": key})
        return mirror_subscription(changed)


def _describe_terms(begins_period: bool, prorated_at: int | None) -> dict[str, Any]:
    """Prorations are never off: without them, the usage of a metered price that goes is not invoiced."""
    terms: dict[str, Any] = {"proration_behavior": "always_invoice"}
    if begins_period:
        terms["billing_cycle_anchor"] = "now"
    elif prorated_at is not None:
        terms["proration_date"] = prorated_at
    return terms


def _describe_swap(subscription: Any, plan: Plan) -> list[dict[str, Any]]:
    """What to take away and to add. Prices of the plan that are there already stay, so that a repetition
    adds nothing; older prices of our products go, and what is none of ours is left alone."""
    price_ids = find_price_ids(plan)
    wanted = [price_ids[key] for key in list_lookup_keys(plan)]
    present = {item.price.id for item in subscription["items"].data}
    leaving = [
        item.id
        for item in subscription["items"].data
        if find_plan_by_product({read_id(item.price.product)}) and item.price.id not in wanted
    ]
    joining = [price_id for price_id in wanted if price_id not in present]
    return [{"id": id, "deleted": True} for id in leaving] + [{"price": id} for id in joining]


def _is_prorated(line: Any) -> bool:
    """Whether a line is a flat price's part of a period: usage is not."""
    parent = line.parent
    found = (parent.subscription_item_details or parent.invoice_item_details) if parent else None
    return bool(found and found.proration)
