"""Stripe's hosted pages: Checkout, where customers subscribe, and the Billing Portal."""

from typing import Any

from billing.plans import Plan

from .client import get_client, read_metadata
from .errors import translate_errors
from .portal import find_portal_configuration
from .prices import find_price_ids, list_lookup_keys
from .snapshots import PERSON
from .subscriptions import BILLING_MODE


def open_checkout(
    *, stripe_customer_id: str, plan: Plan, person: str, request_key: str, success_url: str, cancel_url: str
) -> str:
    """Return the URL of a Checkout session for a plan; an open session for the same plan is reused.

    Open sessions for another plan are expired first, so that nobody pays for two. So are those of another
    person, because the subscription's metadata holds the id of the `person` who opened the session. Call
    inside `lock_stripe_customer`. `request_key` is stored in the subscription's metadata and is part of the
    idempotency key. Raises StripeUnavailable, StripeRejected, and NotSetUp if a price is missing.
    Source: https://docs.stripe.com/api/checkout/sessions
    """
    with translate_errors("open_checkout"):
        sessions = get_client().v1.checkout.sessions
        reusable = None
        for each in sessions.list({"customer": stripe_customer_id, "status": "open", "limit": 100}).data:
            if reusable is None and _is_for(each, plan, person, success_url) and each.url:
                reusable = each.url
            else:
                sessions.expire(each.id, None, {"idempotency_key": f"expire-{each.id}-{request_key}"})
        if reusable is not None:
            return str(reusable)
        price_ids = find_price_ids(plan)
        metadata = {"request_key": request_key, "plan": plan.key} | ({PERSON: person} if person else {})
        parameters: Any = {
            "mode": "subscription",
            "customer": stripe_customer_id,
            "line_items": [_describe_item(plan, key, price_ids[key]) for key in list_lookup_keys(plan)],
            "success_url": success_url,
            "cancel_url": cancel_url,
            "metadata": metadata,
            "subscription_data": {"metadata": metadata, "billing_mode": BILLING_MODE},
        }
        opened = sessions.create(parameters, {"idempotency_key": f"checkout-{request_key}"})
        return str(opened.url)


def expire_checkouts(*, stripe_customer_id: str) -> None:
    """Expire the customer's open Checkout sessions. Safe to repeat."""
    with translate_errors("expire_checkouts"):
        sessions = get_client().v1.checkout.sessions
        for each in sessions.list({"customer": stripe_customer_id, "status": "open", "limit": 100}).data:
            sessions.expire(each.id)  # needs no key of ours: a session can be expired only once


def find_checkout_subscription(*, checkout_session_id: str, stripe_customer_id: str) -> str | None:
    """Return the id of the subscription that a completed Checkout session created.

    None if the session is not completed or belongs to another customer: the session id comes from a URL.
    """
    with translate_errors("find_checkout_subscription"):
        session = get_client().v1.checkout.sessions.retrieve(checkout_session_id)
        if session.customer != stripe_customer_id or session.subscription is None:
            return None
        return str(session.subscription)


def open_portal(*, stripe_customer_id: str, return_url: str) -> str:
    """Return the URL of a new Billing Portal session, which offers cards, invoices and tax ids.

    Raises StripeUnavailable, StripeRejected, and NotSetUp if the portal is not configured.
    Source: https://docs.stripe.com/api/customer_portal/sessions/create
    """
    with translate_errors("open_portal"):
        opened = get_client().v1.billing_portal.sessions.create(
            {
                "customer": stripe_customer_id,
                "configuration": find_portal_configuration(),
                "return_url": return_url,
            }
        )
        return opened.url


def _is_for(session: Any, plan: Plan, person: str, success_url: str) -> bool:
    is_theirs = (read_metadata(session, PERSON) or "") == person
    return is_theirs and read_metadata(session, "plan") == plan.key and session.success_url == success_url


def _describe_item(plan: Plan, lookup_key: str, price_id: str) -> dict[str, Any]:
    """Build a line item. A metered price must not have a quantity: Stripe takes it from the meter."""
    return {"price": price_id} if lookup_key == plan.fix_price else {"price": price_id, "quantity": 1}
