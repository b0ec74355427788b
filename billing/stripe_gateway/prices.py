"""The meter, products and prices of our plans at Stripe; `sync_plans` also configures the Billing Portal."""

from typing import Any

import stripe
from djstripe import models as djstripe

from billing.plans import CURRENCY, METER_EVENT_NAME, PLANS, Plan

from .client import get_client
from .errors import NotSetUp, translate_errors
from .meter import find_meter_id
from .mirror import mirror_object
from .portal import sync_portal_configuration


def list_lookup_keys(plan: Plan) -> list[str]:
    return [key for key in (plan.flat_price, plan.fix_price) if key]


def find_price_ids(plan: Plan) -> dict[str, str]:
    """Return the ids of a plan's active prices by lookup key. Raises NotSetUp if one is missing.

    Call inside `translate_errors`: it raises the SDK's errors as they are.
    """
    wanted = list_lookup_keys(plan)
    prices = get_client().v1.prices.list({"lookup_keys": wanted, "active": True})
    found = {price.lookup_key: price.id for price in prices.data if price.lookup_key}
    if missing := set(wanted) - set(found):
        raise NotSetUp(f"No price at Stripe for {sorted(missing)}: run manage.py sync_plans.")
    return found


def sync_plans() -> dict[str, str]:
    """Create the meter, products, prices and portal configuration that Stripe lacks; return all ids by name.

    Safe to repeat. Stripe's prices are immutable: for a plan whose price has changed, a new price is created
    and takes over the lookup key. Running subscriptions keep the price that they started with.
    Source: https://docs.stripe.com/products-prices/manage-prices
    """
    with translate_errors("sync_plans"):
        ids = {METER_EVENT_NAME: _find_or_create_meter()}
        for plan in PLANS.values():
            if plan.is_metered:
                ids |= _sync_plan(plan, meter_id=ids[METER_EVENT_NAME])
        return ids | {"billing_portal": sync_portal_configuration()}


def _find_or_create_meter() -> str:
    try:
        return find_meter_id()
    except NotSetUp:
        created = get_client().v1.billing.meters.create(
            {
                "display_name": "Fixes deployed",
                "event_name": METER_EVENT_NAME,
                "default_aggregation": {"formula": "sum"},
                "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
                "value_settings": {"event_payload_key": "value"},
            }
        )
        return created.id


def _sync_plan(plan: Plan, *, meter_id: str) -> dict[str, str]:
    client = get_client().v1
    product_id = plan.product
    try:
        product = client.products.retrieve(product_id)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        product = client.products.create({"id": product_id, "name": f"RSOLV {plan.name}"})
    mirror_object(djstripe.Product, product)
    ids = {product_id: product.id}
    for parameters in describe_prices(plan, product_id=product_id, meter_id=meter_id):
        found = client.prices.list(
            {"lookup_keys": [parameters["lookup_key"]], "active": True, "expand": ["data.tiers"]}
        ).data
        price = next((each for each in found if _read_tiers(each.to_dict()) == _read_tiers(parameters)), None)
        if price is None:
            price = client.prices.create(parameters | {"transfer_lookup_key": True})
        mirror_object(djstripe.Price, price)
        ids[parameters["lookup_key"]] = price.id
    return ids


def _read_tiers(price: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the tiers, as (up to, cents each), of Stripe's price or of our parameters for one."""
    tiers = price.get("tiers") or [{"up_to": None, "unit_amount": price.get("unit_amount")}]
    return [(str(tier["up_to"] or "inf"), tier["unit_amount"]) for tier in tiers]


def describe_prices(plan: Plan, *, product_id: str, meter_id: str) -> list[Any]:
    """Return what creates a plan's prices at Stripe: the flat price, if any, then the metered one."""
    shared = {"product": product_id, "currency": CURRENCY}
    metered = {"interval": "month", "usage_type": "metered", "meter": meter_id}
    prices: list[Any] = []
    if plan.flat_price:
        flat = {"lookup_key": plan.flat_price, "unit_amount": plan.monthly_price_cents}
        prices.append(shared | flat | {"recurring": {"interval": "month"}})
    amount: dict[str, Any] = {"unit_amount": plan.unit_price_cents}
    if plan.included:
        tiers = [
            {"up_to": plan.included, "unit_amount": 0},
            {"up_to": "inf", "unit_amount": plan.unit_price_cents},
        ]
        amount = {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}
    prices.append(shared | amount | {"lookup_key": plan.fix_price, "recurring": metered})
    return prices
