"""/v1/subscription_items, and changing the items of a subscription."""

from typing import Any

from sandbox.stripe.billing import subscribing
from sandbox.stripe.billing.invoicing import REMAINING
from sandbox.stripe.billing.subscription_status import period
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter, missing_object
from sandbox.stripe.ids import new_id
from sandbox.stripe.params import LIST, METADATA, Flag, Integer, Required, Shape, Text, merged
from sandbox.stripe.render import listed, present, without_ours
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

ITEM = Shape(
    {
        "id": Text(),
        "price": Text(),
        "quantity": Integer(0),
        "metadata": METADATA,
        "deleted": Flag(),
        "clear_usage": Flag(),
    }
)


def new_items(env: StripeEnvironment, subscription: str, given: list[Record]) -> tuple[list[Record], Record]:
    """Return the first items of a subscription, and the price of the first; they share one interval."""
    if not given:
        raise bad_parameter("Missing required param: items.", "parameter_missing", "items")
    items = [_new_item(env, subscription, each, f"items[{index}]") for index, each in enumerate(given)]
    _check_together(env, items)
    return items, env.require("price", items[0]["price"])


def change_items(env: StripeEnvironment, subscription: Record, given: list[Record], params: Record) -> Record:
    """Add, replace and remove items. Usage so far and prorations go on the next invoice, or on one now."""
    items, starts, pending = plan_change(env, subscription, given, params)
    start, end = items[0]["current_period_start"], items[0]["current_period_end"]
    subscription = env.change(
        subscription,
        "customer.subscription.updated",
        items=subscribing.with_period({**subscription["items"], "data": items}, start, end),
        _usage_from=starts,
        _pending=pending,
    )
    behavior = params.get("payment_behavior") or "allow_incomplete"
    if params.get("billing_cycle_anchor") == "now":
        return subscribing.restart_cycle(env, _without_prorated_starts(env, subscription), behavior)
    if params.get("proration_behavior") == "always_invoice":
        return subscribing.invoice_pending(env, subscription, behavior)
    return subscription


def plan_change(
    env: StripeEnvironment, subscription: Record, given: list[Record], params: Record
) -> tuple[list[Record], dict[str, int], list[Record]]:
    """Return the result of a change: items, when each starts to count usage, and what to invoice.

    Prorations start at `proration_date`; usage counts until now.
    """
    prorate = params.get("proration_behavior") != "none" and subscription["status"] != "trialing"
    at = _proration_date(env, subscription, params)
    items = list(subscription["items"]["data"])
    starts = dict(subscription["_usage_from"])
    pending = list(subscription["_pending"])
    for index, each in enumerate(given):
        old = _existing(items, each.get("id"), f"items[{index}][id]")
        new = _changed(env, subscription, old, each, f"items[{index}]")
        # Only metadata changes: nothing to charge.
        if old and new and (old["price"], old.get("quantity")) == (new["price"], new.get("quantity")):
            items[items.index(old)] = new
            continue
        if old and not each.get("clear_usage"):
            pending += subscribing.leave_item(env, subscription, old, prorate=prorate, at=at)
        if old:
            items.remove(old)
        if new:
            items.append(new)
            # A replaced item keeps its id. Its usage until now is charged by `leave_item`.
            starts[new["id"]] = env.now()
            pending += subscribing.join_item(env, subscription, new, prorate=prorate, at=at)
    if not items:
        raise StripeFailure("A subscription must have at least one active plan.", param="items")
    _check_together(env, items)
    return items, starts, pending


def _proration_date(env: StripeEnvironment, subscription: Record, params: Record) -> int:
    at = params.get("proration_date")
    if at is None:
        return env.now()
    start, end = period(subscription)
    if not start <= at < end:
        message = "Cannot specify a proration date outside of the current subscription period."
        raise bad_parameter(message, None, "proration_date")
    return int(at)


def _without_prorated_starts(env: StripeEnvironment, subscription: Record) -> Record:
    """Drop the prorations of new items: a restarted cycle charges them in full."""
    pending = [each for each in subscription["_pending"] if each.get("text") != REMAINING]
    return env.store.replace(subscription, _pending=pending)


@route("GET", "/v1/subscription_items", {**LIST, "subscription": Required(Text())})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    subscription = env.require("subscription", params["subscription"], "subscription")
    limit = params.get("limit", 10)
    items = [present_item(env.store, item) for item in subscription["items"]["data"]]
    ids = [item["id"] for item in items]
    first = ids.index(params["starting_after"]) + 1 if params.get("starting_after") in ids else 0
    url = "/v1/subscription_items"
    return listed(url, items[first : first + limit], has_more=len(items) > first + limit)


@route("GET", "/v1/subscription_items/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    subscription = next(env.store.newest("subscription", item=id), None)
    if subscription is None:
        raise missing_object("subscription_item", id)
    item = next(each for each in subscription["items"]["data"] if each["id"] == id)
    return present_item(env.store, item)


def present_item(store: Store, item: Record) -> Record:
    """Render the item with its current price, and the legacy plan object that Stripe still includes."""
    price = present(store, store.find(item["price"]) or {})
    recurring = price["recurring"]
    plan = {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring["usage_type"],
    }
    return {**without_ours(item), "plan": plan, "price": price}


def _new_item(env: StripeEnvironment, subscription: str, given: Record, name: str) -> Record:
    if not given.get("price"):
        raise bad_parameter(f"Missing required param: {name}[price].", "parameter_missing", f"{name}[price]")
    price = _price(env, given["price"], f"{name}[price]")
    item: dict[str, Any] = {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        # Stripe's often have the second after the subscription's or the change's.
        "created": env.now() + 1,
        "current_period_end": 0,
        "current_period_start": 0,
        "discounts": [],
        "metadata": merged({}, given.get("metadata")),
        "price": price["id"],
        "subscription": subscription,
        "tax_rates": [],
    }
    if price["recurring"]["usage_type"] == "metered":
        _reject_quantity(given, name)
    else:
        item["quantity"] = given.get("quantity", 1)
    return item


def _reject_quantity(given: Record, name: str) -> None:
    if given.get("quantity") is not None:
        message = "You cannot set the quantity for metered plans."
        raise StripeFailure(message, param=f"{name}[quantity]")


def _price(env: StripeEnvironment, id: str, param: str) -> Record:
    price = env.require("price", id, param)
    if price["type"] != "recurring":
        message = "This field only accepts prices with `type=recurring`."
        raise StripeFailure(message, param=param)
    if not price["active"]:
        raise StripeFailure("The price specified is inactive.", param=param)
    return price


def _existing(items: list[Record], id: str | None, param: str) -> Record | None:
    if id is None:
        return None
    found = next((item for item in items if item["id"] == id), None)
    if found is None:
        raise missing_object("subscription_item", id, param)
    return found


def _changed(
    env: StripeEnvironment, subscription: Record, old: Record | None, given: Record, name: str
) -> Record | None:
    if old is None:
        fresh = _new_item(env, subscription["id"], given, name)
        current = subscription["items"]["data"][0]
        return {
            **fresh,
            "current_period_start": current["current_period_start"],
            "current_period_end": current["current_period_end"],
        }
    if given.get("deleted"):
        return None
    price = (
        _price(env, given["price"], f"{name}[price]")
        if given.get("price")
        else env.require("price", old["price"])
    )
    item = {**old, "price": price["id"], "metadata": merged(old["metadata"], given.get("metadata", {}))}
    if price["recurring"]["usage_type"] == "metered":
        _reject_quantity(given, name)
        item.pop("quantity", None)
    else:
        item["quantity"] = given.get("quantity", old.get("quantity", 1))
    return item


def _check_together(env: StripeEnvironment, items: list[Record]) -> None:
    prices = [env.require("price", item["price"]) for item in items]
    if len({price["id"] for price in prices}) < len(prices):
        raise StripeFailure("Cannot add multiple subscription items with the same plan.", param="items")
    if len({price["currency"] for price in prices}) > 1:
        raise StripeFailure("All prices on a subscription must have the same currency.", param="items")
    if len({(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p in prices}) > 1:
        raise StripeFailure("The sandbox does not imitate mixed billing intervals.", param="items")
