"""/v1/prices: flat, metered per unit, metered in tiers."""

from decimal import Decimal
from typing import Any

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
    Number,
    Required,
    Shape,
    Text,
    merged,
)
from sandbox.stripe.render import hidden
from sandbox.stripe.resources.products import make_product
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

TIER = Shape(
    {
        "up_to": Required(Either(("inf",), Integer(1))),
        "unit_amount": Integer(0),
        "unit_amount_decimal": Number(),
        "flat_amount": Integer(0),
        "flat_amount_decimal": Number(),
    }
)
TAX_BEHAVIOR = Choice(("exclusive", "inclusive", "unspecified"))
UPDATE: dict[str, Field] = {
    "active": Flag(),
    "lookup_key": Text(200),
    "metadata": METADATA,
    "nickname": Text(),
    "tax_behavior": TAX_BEHAVIOR,
    "transfer_lookup_key": Flag(),
}
CREATE: dict[str, Field] = {
    **UPDATE,
    "billing_scheme": Choice(("per_unit", "tiered")),
    "currency": Required(Choice(("usd", "eur", "gbp"))),
    "product": Text(),
    "product_data": Shape(
        {"name": Required(Text()), "metadata": METADATA, "unit_label": Text(), "id": Text()}
    ),
    "recurring": Shape(
        {
            "interval": Required(Choice(("day", "week", "month", "year"))),
            "interval_count": Integer(1, 36),
            "meter": Text(),
            "usage_type": Choice(("licensed", "metered")),
        }
    ),
    "tiers": Listed(TIER),
    "tiers_mode": Choice(("graduated", "volume")),
    "unit_amount": Integer(0),
    "unit_amount_decimal": Number(),
}


@route("POST", "/v1/prices", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    scheme = params.get("billing_scheme", "per_unit")
    tiers = _tiers(params) if scheme == "tiered" else None
    decimal = _amount(params) if scheme == "per_unit" else None
    recurring = _recurring(env, params.get("recurring"))
    id = new_id("price")
    if params.get("lookup_key"):
        _claim_lookup_key(env, params["lookup_key"], bool(params.get("transfer_lookup_key")))
    price = env.add(
        "price",
        id,
        active=params.get("active", True),
        billing_scheme=scheme,
        currency=params["currency"],
        custom_unit_amount=None,
        lookup_key=params.get("lookup_key"),
        metadata=merged({}, params.get("metadata")),
        nickname=params.get("nickname"),
        product=_product(env, params)["id"],
        recurring=recurring,
        tax_behavior=params.get("tax_behavior") or "unspecified",
        tiers_mode=params.get("tiers_mode"),
        transform_quantity=None,
        type="recurring" if recurring else "one_time",
        unit_amount=int(decimal)
        if decimal is not None and Decimal(decimal) == int(Decimal(decimal))
        else None,
        unit_amount_decimal=decimal,
        _tiers=tiers,
    )
    env.emit("price.created", price)
    return price


@route(
    "GET",
    "/v1/prices",
    {
        **LIST,
        "active": Flag(),
        "currency": Text(),
        "lookup_keys": Listed(Text()),
        "product": Text(),
        "type": Choice(("one_time", "recurring")),
        "recurring": Shape(
            {
                "interval": Choice(("day", "week", "month", "year")),
                "meter": Text(),
                "usage_type": Choice(("licensed", "metered")),
            }
        ),
    },
)
def list_all(env: StripeEnvironment, params: Record) -> Record:
    recurring = params.get("recurring") or {}

    def keep(price: Record) -> bool:
        return (
            params.get("active") in (None, price["active"])
            and params.get("currency") in (None, price["currency"])
            and params.get("type") in (None, price["type"])
            and ("lookup_keys" not in params or price["lookup_key"] in params["lookup_keys"])
            and all((price["recurring"] or {}).get(name) == value for name, value in recurring.items())
        )

    return page(env.store, "price", params, "/v1/prices", keep=keep, product=params.get("product"))


@route("GET", "/v1/prices/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("price", id)


@route("POST", "/v1/prices/{id}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    price = env.require("price", id)
    names = ("active", "lookup_key", "nickname", "tax_behavior")
    changes: dict[str, Any] = {name: params[name] for name in names if name in params}
    if params.get("lookup_key") and params["lookup_key"] != price["lookup_key"]:
        _claim_lookup_key(env, params["lookup_key"], bool(params.get("transfer_lookup_key")))
    if "metadata" in params:
        changes["metadata"] = merged(price["metadata"], params["metadata"])
    return env.change(price, "price.updated", **changes)


@hidden("price", "tiers")
def tiers(store: Store, view: Record) -> list[Record] | None:
    record = store.find(view["id"]) or {}
    found: list[Record] | None = record.get("_tiers")
    return found


@hidden("price", "currency_options")
def currency_options(store: Store, view: Record) -> Record:
    option = {
        "custom_unit_amount": None,
        "tax_behavior": view["tax_behavior"],
        "unit_amount": view["unit_amount"],
        "unit_amount_decimal": view["unit_amount_decimal"],
    }
    return {view["currency"]: option}


def _amount(params: Record) -> str:
    if "tiers" in params or "tiers_mode" in params:
        raise bad_parameter("You may only specify `tiers` with billing_scheme=tiered.", None, "tiers")
    given = [name for name in ("unit_amount", "unit_amount_decimal") if name in params]
    if not given:
        message = "Missing required param: unit_amount."
        raise bad_parameter(message, "parameter_missing", "unit_amount")
    if len(given) == 2:
        message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal."
        raise bad_parameter(message, "parameters_exclusive", "unit_amount")
    return str(params[given[0]])


def _tiers(params: Record) -> list[Record]:
    for name in ("tiers", "tiers_mode"):
        if not params.get(name):
            raise bad_parameter(f"Missing required param: {name}.", "parameter_missing", name)
    for name in ("unit_amount", "unit_amount_decimal"):
        if name in params:
            raise bad_parameter(f"You may not specify `{name}` with billing_scheme=tiered.", None, name)
    rows = [_tier(tier) for tier in params["tiers"]]
    bounds = [tier["up_to"] for tier in rows]
    if bounds[-1] is not None:
        raise bad_parameter("The last tier must have `up_to` set to `inf`.", None, "tiers")
    if None in bounds[:-1] or bounds[:-1] != sorted(set(bounds[:-1])):
        raise bad_parameter("Tiers must be in ascending order of `up_to`.", None, "tiers")
    return rows


def _tier(tier: Record) -> Record:
    unit = tier.get("unit_amount_decimal", tier.get("unit_amount"))
    flat = tier.get("flat_amount_decimal", tier.get("flat_amount"))
    return {
        "flat_amount": tier.get("flat_amount"),
        "flat_amount_decimal": None if flat is None else str(flat),
        "unit_amount": tier.get("unit_amount"),
        "unit_amount_decimal": None if unit is None else str(unit),
        "up_to": None if tier["up_to"] == "inf" else tier["up_to"],
    }


def _recurring(env: StripeEnvironment, given: Record | None) -> Record | None:
    if given is None:
        return None
    usage_type = given.get("usage_type", "licensed")
    if usage_type == "metered":
        if not given.get("meter"):
            message = (
                "Metered prices must be backed by meters: pass `recurring[meter]`. "
                "Legacy usage-based billing was removed in version 2025-03-31.basil."
            )
            raise bad_parameter(message, None, "recurring[meter]")
        meter = env.require("billing.meter", given["meter"], "recurring[meter]")
        if meter["status"] != "active":
            raise StripeFailure("The meter is not active.", param="recurring[meter]")
    elif given.get("meter"):
        raise bad_parameter("`meter` needs usage_type=metered.", None, "recurring[meter]")
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": given.get("meter"),
        "trial_period_days": None,
        "usage_type": usage_type,
    }


def _claim_lookup_key(env: StripeEnvironment, lookup_key: str, transfer: bool) -> None:
    for holder in list(env.store.newest("price", lookup_key=lookup_key)):
        if not transfer:
            message = (
                f"A price (`{holder['id']}`) already uses that lookup key. "
                "Pass `transfer_lookup_key=true` to move it."
            )
            raise StripeFailure(message, param="lookup_key")
        env.change(holder, "price.updated", lookup_key=None)


def _product(env: StripeEnvironment, params: Record) -> Record:
    if params.get("product"):
        return env.require("product", params["product"], "product")
    if not params.get("product_data"):
        raise bad_parameter("Missing required param: product.", "parameter_missing", "product")
    data = params["product_data"]
    return make_product(env, data.get("id") or new_id("prod", 14), data)
