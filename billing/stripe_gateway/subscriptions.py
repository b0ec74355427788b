"""Create, cancel and mirror subscriptions."""

from typing import Any

import stripe
from djstripe import models as djstripe

from billing.plans import Plan

from .client import get_client, read_metadata
from .errors import translate_errors
from .mirror import mirror_object
from .prices import find_price_ids, list_lookup_keys
from .snapshots import ENDED, SubscriptionSnapshot, find_plan, parse_subscription

# In classic billing mode, Stripe never invoices the usage of a metered price that is removed.
# Source: https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup
BILLING_MODE: Any = {"type": "flexible"}


def sync_live_subscriptions(*, stripe_customer_id: str) -> list[str]:
    """Mirror the customer's live subscriptions to our plans; return their ids, newest first."""
    with translate_errors("sync_live_subscriptions"):
        listed = get_client().v1.subscriptions.list({"customer": stripe_customer_id, "limit": 100})
        live = [
            each
            for each in listed.auto_paging_iter()
            if each.status not in ENDED and find_plan(each.to_dict())
        ]
        for each in live:
            mirror_subscription(each)
        return [each.id for each in live]


def sync_subscriptions(*, stripe_customer_id: str) -> None:
    """Mirror all of the customer's subscriptions, including ended ones. Safe to repeat."""
    with translate_errors("sync_subscriptions"):
        listed = get_client().v1.subscriptions.list(
            {"customer": stripe_customer_id, "status": "all", "limit": 100}
        )
        for each in listed.auto_paging_iter():
            mirror_subscription(each)


def create_subscription(
    *, stripe_customer_id: str, plan: Plan, request_key: str, attempt: int
) -> SubscriptionSnapshot:
    """Create a subscription to a plan's prices. Safe to repeat: it creates one per `request_key`.

    A subscription with the key in its metadata is looked up first, because Stripe keeps idempotency keys for
    a day only. `attempt` makes that key new, because Stripe replays its own errors under an old one.
    Source: https://docs.stripe.com/api/subscriptions/create
    """
    with translate_errors("create_subscription"):
        existing = get_client().v1.subscriptions.list({"customer": stripe_customer_id, "status": "all"})
        opened = next(
            (each for each in existing.data if read_metadata(each, "request_key") == request_key), None
        )
        if opened is None:
            price_ids = find_price_ids(plan)
            items: list[Any] = [{"price": price_ids[key]} for key in list_lookup_keys(plan)]
            opened = get_client().v1.subscriptions.create(
                {
                    "customer": stripe_customer_id,
                    "items": items,
                    "metadata": {"request_key": request_key},
                    "billing_mode": BILLING_MODE,
                },
                {"idempotency_key": f"subscription-{request_key}-{attempt}"},
            )
        return mirror_subscription(opened)


def cancel_subscription(subscription_id: str, *, is_invoiced: bool = True) -> SubscriptionSnapshot:
    """Cancel a subscription now and, unless `is_invoiced` is False, invoice its usage. Safe to repeat.

    DELETE requests take no idempotency key. If an earlier response was lost, Stripe answers that there is
    nothing to cancel. Source: https://docs.stripe.com/api/idempotent_requests
    """
    with translate_errors("cancel_subscription"):
        try:
            canceled = get_client().v1.subscriptions.cancel(subscription_id, {"invoice_now": is_invoiced})
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            canceled = get_client().v1.subscriptions.retrieve(subscription_id)
        return mirror_subscription(canceled)


def set_cancellation(*, subscription_id: str, at_period_end: bool, request_key: str) -> SubscriptionSnapshot:
    """Set a subscription's cancellation at the end of its period, or clear any scheduled one. Safe to repeat.

    `request_key` must differ for each request of a person: under the same idempotency key, Stripe would
    replay the earlier response and change nothing.
    """
    with translate_errors("set_cancellation"):
        if not at_period_end:
            return mirror_subscription(_clear_cancellation(subscription_id, request_key))
        changed = get_client().v1.subscriptions.update(
            subscription_id, {"cancel_at_period_end": True}, {"idempotency_key": f"end-{request_key}"}
        )
        return mirror_subscription(changed)


def _clear_cancellation(subscription_id: str, request_key: str) -> stripe.Subscription:
    """Clear whichever field schedules the end; Stripe rejects both in one call.

    In flexible billing mode, Stripe's own portal sets `cancel_at` and not the flag, and clearing the flag
    leaves that end in place. Source: https://docs.stripe.com/billing/subscriptions/billing-mode/compare
    """
    subscriptions = get_client().v1.subscriptions
    found = subscriptions.retrieve(subscription_id)
    if found.cancel_at_period_end:
        key = f"end-{request_key}"
        found = subscriptions.update(
            subscription_id, {"cancel_at_period_end": False}, {"idempotency_key": key}
        )
    if found.cancel_at is not None:
        key = f"end-at-{request_key}"
        found = subscriptions.update(subscription_id, {"cancel_at": ""}, {"idempotency_key": key})
    return found


def sync_subscription(subscription_id: str) -> SubscriptionSnapshot:
    """Read a subscription from Stripe, mirror it and return it."""
    with translate_errors("sync_subscription"):
        return mirror_subscription(get_client().v1.subscriptions.retrieve(subscription_id))


def mirror_subscription(subscription: stripe.Subscription) -> SubscriptionSnapshot:
    """Write a subscription that was just read to dj-stripe's table. No Stripe call of its own.

    Raises OtherMode.
    """
    mirror_object(djstripe.Subscription, subscription)
    return parse_subscription(subscription.to_dict())
