"""Preview and make the change of a running subscription to another plan's prices.

Source: https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup
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
    """A line of the invoice that a change creates. `amount_cents` is in US cents; a credit is negative."""

    description: str
    amount_cents: int
    quantity: int


@dataclass(frozen=True)
class PreviewedChange:
    """The invoice that a change creates. Amounts are in US cents, times are Unix timestamps.

    `prorated_at` is when its prorations start, None without any. `due_cents` is what the card pays: the total
    minus the customer's balance, never negative. The period is the current one, before the change.
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
    """Return what `change_plan` costs now, as computed by Stripe. Changes nothing.

    Without `prorated_at`, Stripe's clock decides when prorations start. Pass the returned `prorated_at` to
    `change_plan`: then the charge is what was shown, however much later it is confirmed.
    Source: https://docs.stripe.com/api/invoices/create_preview
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
    """Swap the prices, then invoice and collect the usage and the prorations, all or nothing.

    With `begins_period`, a new month starts now at its full price; otherwise prorations start at
    `prorated_at`, a Unix timestamp. Safe to repeat: a subscription that has the plan's prices is only
    mirrored. If the card is declined, nothing changes, unless the invoice `may_stay_open`.
    Raises CardDeclined, StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/api/subscriptions/update (payment_behavior)
    """
    with translate_errors("change_plan"):
        subscription = get_client().v1.subscriptions.retrieve(subscription_id)
        # Read just before: an earlier request may have swapped the items although its response was lost.
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
    """Build the proration parameters.

    Prorations stay on: without them, Stripe does not invoice the usage of a removed metered price.
    """
    terms: dict[str, Any] = {"proration_behavior": "always_invoice"}
    if begins_period:
        terms["billing_cycle_anchor"] = "now"
    elif prorated_at is not None:
        terms["proration_date"] = prorated_at
    return terms


def _describe_swap(subscription: Any, plan: Plan) -> list[dict[str, Any]]:
    """List the items to remove and to add; empty if the subscription already has the plan's prices.

    Removes other prices of our products, including former prices of the same plan. Items of other products
    are left alone.
    """
    price_ids = find_price_ids(plan)
    wanted = [price_ids[key] for key in list_lookup_keys(plan)]
    present = {item.price.id for item in subscription["items"].data}
    removed = [
        item.id
        for item in subscription["items"].data
        if find_plan_by_product({read_id(item.price.product)}) and item.price.id not in wanted
    ]
    added = [price_id for price_id in wanted if price_id not in present]
    return [{"id": id, "deleted": True} for id in removed] + [{"price": id} for id in added]


def _is_prorated(line: Any) -> bool:
    """Whether a line is the prorated part of a flat price. Lines of usage are not."""
    parent = line.parent
    found = (parent.subscription_item_details or parent.invoice_item_details) if parent else None
    return bool(found and found.proration)
