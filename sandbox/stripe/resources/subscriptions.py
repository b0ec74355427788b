"""/v1/subscriptions"""

from typing import Any

from sandbox.stripe.billing import subscribing
from sandbox.stripe.billing.periods import end_of_period
from sandbox.stripe.billing.subscription_status import ENDED, due_at, period
from sandbox.stripe.clock import DAY
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import (
    LIST,
    METADATA,
    Choice,
    Either,
    Field,
    Flag,
    Integer,
    Listed,
    Required,
    Shape,
    Text,
    merged,
)
from sandbox.stripe.render import listed, presents, without_ours
from sandbox.stripe.resources.subscription_fields import blank_subscription
from sandbox.stripe.resources.subscription_items import ITEM, change_items, new_items, present_item
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

CANCELLATION = Shape({"comment": Text(), "feedback": Text()})
_COMMON: dict[str, Field] = {
    "cancel_at": Integer(0),
    "cancel_at_period_end": Flag(),
    "collection_method": Choice(("charge_automatically", "send_invoice")),
    "days_until_due": Integer(0),
    "default_payment_method": Text(),
    "description": Text(500),
    "metadata": METADATA,
    "off_session": Flag(),
    "payment_settings": Shape(
        {
            "payment_method_types": Listed(Text()),
            "save_default_payment_method": Choice(("off", "on_subscription")),
        }
    ),
    "proration_behavior": Choice(("always_invoice", "create_prorations", "none")),
    "trial_end": Either(("now",), Integer(0)),
}
CREATE: dict[str, Field] = {
    **_COMMON,
    "customer": Required(Text()),
    "items": Required(Listed(Shape({name: ITEM.fields[name] for name in ("price", "quantity", "metadata")}))),
    "billing_cycle_anchor": Integer(0),
    "billing_mode": Shape({"type": Required(Choice(("classic", "flexible")))}),
    "currency": Text(),
    "payment_behavior": Choice(
        ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
    ),
    "trial_period_days": Integer(1, 730),
    "trial_settings": Shape({"end_behavior": Shape({"missing_payment_method": Text()})}),
}
UPDATE: dict[str, Field] = {
    **_COMMON,
    "cancel_at": Either(("",), Integer(0)),
    "items": Listed(ITEM),
    "billing_cycle_anchor": Choice(("now", "unchanged")),
    "cancellation_details": CANCELLATION,
    "payment_behavior": CREATE["payment_behavior"],
    "proration_date": Integer(0),
}


@route("POST", "/v1/subscriptions", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    customer = env.require("customer", params["customer"], "customer")
    _check_collection(params, "charge_automatically")
    _check_end(params)
    _check_method(env, customer["id"], params)
    id, now = new_id("sub"), env.now()
    items, price = new_items(env, id, params["items"])
    trial_end = _trial_end(params, now)
    anchor = params.get("billing_cycle_anchor") or trial_end or now
    ends = trial_end or (anchor if anchor > now else end_of_period(anchor, price["recurring"], now))
    method = params.get("collection_method") or "charge_automatically"
    subscription: Record = {
        **blank_subscription(params, price, now),
        "billing_cycle_anchor": anchor,
        "cancel_at": ends if params.get("cancel_at_period_end") else params.get("cancel_at"),
        "collection_method": method,
        "customer": customer["id"],
        "items": subscribing.with_period(
            listed(f"/v1/subscription_items?subscription={id}", items), now, ends
        ),
        "status": "trialing" if trial_end else _first_status(env, items, method),
        "trial_end": trial_end,
        "trial_start": now if trial_end else None,
        "_usage_from": {},
        "_pending": [],
    }
    due = due_at({**subscription, "created": now})
    filed = env.add("subscription", id, **subscription, _due_at=due)
    return subscribing.begin(env, filed, params.get("payment_behavior") or "allow_incomplete")


@route(
    "GET",
    "/v1/subscriptions",
    {
        **LIST,
        "customer": Text(),
        "price": Text(),
        "collection_method": Text(),
        "status": Choice(
            (
                "active",
                "all",
                "canceled",
                "ended",
                "incomplete",
                "incomplete_expired",
                "past_due",
                "paused",
                "trialing",
                "unpaid",
            )
        ),
    },
)
def list_all(env: StripeEnvironment, params: Record) -> Record:
    """List subscriptions; without a status, those that have not been canceled."""
    status, price = params.get("status"), params.get("price")

    def keep(subscription: Record) -> bool:
        current = subscription["status"]
        fits = {None: current != "canceled", "all": True, "ended": current in ENDED}.get(
            status, current == status
        )
        return fits and (
            price is None or any(item["price"] == price for item in subscription["items"]["data"])
        )

    return page(
        env.store,
        "subscription",
        params,
        "/v1/subscriptions",
        keep=keep,
        customer=params.get("customer"),
        collection_method=params.get("collection_method"),
    )


@route("GET", "/v1/subscriptions/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("subscription", id)


@route("POST", "/v1/subscriptions/{id}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    subscription = env.require("subscription", id)
    if subscription["status"] in ENDED:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise StripeFailure(message)
    _check_collection(params, subscription["collection_method"])
    _check_end(params)
    _check_method(env, subscription["customer"], params)
    if params.get("trial_end") not in (None, "now"):
        raise bad_parameter("The sandbox can only end a trial now.", None, "trial_end")
    changes = _plain_changes(env, subscription, params)
    subscription = env.change(subscription, "customer.subscription.updated", **changes)
    if params.get("items"):
        subscription = change_items(env, subscription, params["items"], params)
    elif params.get("billing_cycle_anchor") == "now" or (
        params.get("trial_end") == "now" and subscription["status"] == "trialing"
    ):
        subscription = subscribing.restart_cycle(env, subscription, params.get("payment_behavior"))
    return env.require("subscription", id)


@route(
    "DELETE",
    "/v1/subscriptions/{id}",
    {"cancellation_details": CANCELLATION, "invoice_now": Flag(), "prorate": Flag()},
)
def cancel(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Cancel a subscription. Unbilled usage is billed only with `invoice_now`, as at Stripe."""
    subscription = env.require("subscription", id)
    if subscription["status"] in ENDED:
        # Stripe answers as if a canceled subscription did not exist.
        raise StripeFailure(f"No such subscription: '{id}'", status=404, code="resource_missing", param="id")
    details = {**subscription["cancellation_details"], **(params.get("cancellation_details") or {})}
    subscription = env.store.replace(subscription, cancellation_details=details)
    if params.get("prorate"):
        pending = [
            charge
            for item in subscription["items"]["data"]
            if not subscribing.is_metered(env, item)
            for charge in subscribing.leave_item(env, subscription, item, prorate=True)
        ]
        subscription = env.store.replace(subscription, _pending=[*subscription["_pending"], *pending])
    return subscribing.finish(
        env, subscription, reason="cancellation_requested", invoice=bool(params.get("invoice_now"))
    )


@presents("subscription")
def present_subscription(store: Store, record: Record) -> Record:
    items = record["items"]
    return {
        **without_ours(record),
        "items": {**items, "data": [present_item(store, item) for item in items["data"]]},
    }


def _first_status(env: StripeEnvironment, items: list[Record], method: str) -> str:
    """Return the first status: incomplete if a first payment is due."""
    owed = method == "charge_automatically" and any(not subscribing.is_metered(env, item) for item in items)
    return "incomplete" if owed else "active"


def _trial_end(params: Record, now: int) -> int | None:
    if params.get("trial_period_days"):
        return now + int(params["trial_period_days"]) * DAY
    if params.get("trial_end") in (None, "now"):
        return None
    if params["trial_end"] <= now:
        raise bad_parameter(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", None, "trial_end"
        )
    return int(params["trial_end"])


def _check_collection(params: Record, current: str) -> None:
    method = params.get("collection_method") or current
    if method == "charge_automatically" and params.get("days_until_due") is not None:
        message = "You can only set `days_until_due` with collection_method=send_invoice."
        raise bad_parameter(message, None, "days_until_due")
    if params.get("collection_method") == "send_invoice" and params.get("days_until_due") is None:
        raise bad_parameter("Missing required param: days_until_due.", "parameter_missing", "days_until_due")


def _check_end(params: Record) -> None:
    if "cancel_at" in params and "cancel_at_period_end" in params:
        message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end."
        raise bad_parameter(message, None, "cancel_at")


def _check_method(env: StripeEnvironment, customer: str, params: Record) -> None:
    id = params.get("default_payment_method")
    if id and (env.store.get("payment_method", id) or {}).get("customer") != customer:
        message = (
            f"The customer does not have a payment method with the ID {id}. "
            "The payment method must be attached to the customer."
        )
        raise StripeFailure(message, code="resource_missing", param="default_payment_method")


def _plain_changes(env: StripeEnvironment, subscription: Record, params: Record) -> dict[str, Any]:
    names = ("default_payment_method", "description", "collection_method", "days_until_due")
    changes: dict[str, Any] = {name: params[name] for name in names if name in params}
    if "metadata" in params:
        changes["metadata"] = merged(subscription["metadata"], params["metadata"])
    if params.get("payment_settings"):
        changes["payment_settings"] = {**subscription["payment_settings"], **params["payment_settings"]}
    details = {**subscription["cancellation_details"], **(params.get("cancellation_details") or {})}
    if "cancel_at_period_end" in params or "cancel_at" in params:
        changes.update(_cancellation(env, subscription, params))
        details["reason"] = "cancellation_requested" if changes["canceled_at"] else None
    changes["cancellation_details"] = details
    changes["_due_at"] = due_at({**subscription, **changes})
    return changes


def _cancellation(env: StripeEnvironment, subscription: Record, params: Record) -> dict[str, Any]:
    """Return the new end. The flag sets and clears `cancel_at` too, but not one that was set without it."""
    at_end = bool(params.get("cancel_at_period_end"))
    if "cancel_at" in params:
        at = params["cancel_at"] or None
    elif at_end:
        at = period(subscription)[1]
    else:
        at = None if subscription["cancel_at_period_end"] else subscription["cancel_at"]
    return {
        "cancel_at_period_end": at_end,
        "cancel_at": at,
        "canceled_at": (subscription["canceled_at"] or env.now()) if at else None,
    }
