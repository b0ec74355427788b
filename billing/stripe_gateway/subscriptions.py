"""Subscriptions to a plan's prices."""

from typing import Any

import stripe
from djstripe import models as djstripe

from billing.plans import Plan

from .client import get_client, read_metadata
from .errors import translate_errors
from .prices import find_price_ids, list_lookup_keys
from .snapshots import ENDED, SubscriptionSnapshot, find_plan, parse_subscription

# In the classic mode, the usage of a metered price that is taken off a subscription is never invoiced.
# Source: https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup
BILLING_MODE: Any = {"type": "flexible"}


def sync_live_subscriptions(*, stripe_customer_id: str) -> list[str]:
    """Mirror the customer's subscriptions to our plans that have not ended; their ids, the newest first."""
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
    """Mirror all of the customer's subscriptions, those that have ended too."""
    with translate_errors("sync_subscriptions"):
        listed = get_client().v1.subscriptions.list(
            {"customer": stripe_customer_id, "status": "all", "limit": 100}
        )
        for each in listed.auto_paging_iter():
            mirror_subscription(each)


def create_subscription(
    *, stripe_customer_id: str, plan: Plan, request_key: str, attempt: int
) -> SubscriptionSnapshot:
    """Subscribe a customer to a plan's prices. Repeating it for the same request_key subscribes once."""
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
    """End a subscription now, its open usage invoiced unless told otherwise. Repeating it changes nothing.

    A deletion takes no idempotency key: after a lost answer, Stripe says that there is nothing to cancel.
    Source: https://docs.stripe.com/api/idempotent_requests
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
    """Let a subscription end with its period, or go on. Repeating it changes nothing.

    `request_key` tells one change of mind from the next, which would else be answered from the first's key.
    """
    with translate_errors("set_cancellation"):
        changed = get_client().v1.subscriptions.update(
            subscription_id,
            {"cancel_at_period_end": at_period_end},
            {"idempotency_key": f"end-{request_key}"},
        )
        return mirror_subscription(changed)


def sync_subscription(subscription_id: str) -> SubscriptionSnapshot:
    """Read a subscription as it is now."""
    with translate_errors("sync_subscription"):
        return mirror_subscription(get_client().v1.subscriptions.retrieve(subscription_id))


def mirror_subscription(subscription: stripe.Subscription) -> SubscriptionSnapshot:
    """Copy what was read to dj-stripe's table."""
    djstripe.Subscription.sync_from_stripe_data(subscription)
    return parse_subscription(subscription.to_dict())
