"""/v1/checkout/sessions: a page on which a person pays for a subscription or saves a card."""

from typing import Any

from sandbox.stripe.billing.sessions import close_unpaid
from sandbox.stripe.clock import DAY, HOUR
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import (
    LIST,
    METADATA,
    Choice,
    Field,
    Flag,
    Integer,
    Listed,
    Required,
    Shape,
    Text,
    merged,
)
from sandbox.stripe.render import hidden, listed, present
from sandbox.stripe.resources.setup_intents import make_intent
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

LINE_ITEM = Shape({"price": Required(Text()), "quantity": Integer(1)})
CREATE: dict[str, Field] = {
    "mode": Required(Choice(("setup", "subscription"))),
    "line_items": Listed(LINE_ITEM),
    "success_url": Text(),
    "cancel_url": Text(),
    "customer": Text(),
    "customer_email": Text(512),
    "client_reference_id": Text(200),
    "currency": Text(),
    "metadata": METADATA,
    "allow_promotion_codes": Flag(),
    "billing_address_collection": Choice(("auto", "required")),
    "expires_at": Integer(0),
    "locale": Text(),
    "payment_method_collection": Choice(("always", "if_required")),
    "payment_method_types": Listed(Text()),
    "subscription_data": Shape(
        {
            "description": Text(),
            "metadata": METADATA,
            "trial_period_days": Integer(1, 730),
            "billing_mode": Shape({"type": Required(Choice(("classic", "flexible")))}),
        }
    ),
    "setup_intent_data": Shape({"description": Text(), "metadata": METADATA}),
}


@route("POST", "/v1/checkout/sessions", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    if not params.get("success_url"):
        raise bad_parameter("Missing required param: success_url.", "parameter_missing", "success_url")
    if params.get("customer") and params.get("customer_email"):
        message = "You may only specify one of these parameters: customer, customer_email."
        raise bad_parameter(message, "parameters_exclusive", "customer_email")
    customer = env.require("customer", params["customer"], "customer") if params.get("customer") else None
    items = _line_items(env, params)
    now, id = env.now(), new_id("cs_test", 58)
    expires_at = params.get("expires_at") or now + DAY
    if not now + HOUR // 2 <= expires_at <= now + DAY:
        message = "`expires_at` must be between 30 minutes and 24 hours from now."
        raise bad_parameter(message, None, "expires_at")
    total = sum(item["amount_total"] for item in items)
    subscribing = params["mode"] == "subscription"
    setup = {**(params.get("setup_intent_data") or {}), "customer": params.get("customer")}
    return env.add(
        "checkout.session",
        id,
        **_blank(params),
        amount_subtotal=total if subscribing else None,
        amount_total=total if subscribing else None,
        currency=items[0]["currency"] if items else params.get("currency"),
        customer=customer["id"] if customer else None,
        customer_creation=None if customer else "always",
        customer_details=None,
        customer_email=params.get("customer_email"),
        expires_at=expires_at,
        mode=params["mode"],
        setup_intent=None if subscribing else make_intent(env, setup)["id"],
        payment_status="unpaid" if subscribing else "no_payment_required",
        status="open",
        url=f"{env.url}/checkout/{id}",
        _due_at=expires_at,
        _items=items,
        _params=params,
    )


@route("GET", "/v1/checkout/sessions", {**LIST, "customer": Text(), "subscription": Text(), "status": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    names = ("customer", "subscription", "status")
    where = {name: params.get(name) for name in names}

    def keep(session: Record) -> bool:
        return all(value in (None, session[name]) for name, value in where.items())

    index = (
        {"subscription": where["subscription"]} if where["subscription"] else {"customer": where["customer"]}
    )
    return page(env.store, "checkout.session", params, "/v1/checkout/sessions", keep=keep, **index)


@route("GET", "/v1/checkout/sessions/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("checkout.session", id)


@route("GET", "/v1/checkout/sessions/{id}/line_items", LIST)
def list_line_items(env: StripeEnvironment, params: Record, id: str) -> Record:
    listing: Record = line_items(env.store, env.require("checkout.session", id))
    return listing


@route("POST", "/v1/checkout/sessions/{id}/expire")
def expire(env: StripeEnvironment, params: Record, id: str) -> Record:
    session = env.require("checkout.session", id)
    if session["status"] != "open":
        message = f"Only open Checkout Sessions can be expired. This one is {session['status']}."
        raise StripeFailure(message)
    return close_unpaid(env, session)


@hidden("checkout.session", "line_items")
def line_items(store: Store, view: Record) -> Record:
    session = store.find(view["id"]) or {}
    data = [
        {**item, "price": present(store, store.find(item["price"]) or {})}
        for item in session.get("_items", [])
    ]
    return listed(f"/v1/checkout/sessions/{view['id']}/line_items", data)


@hidden("item", "discounts")
@hidden("item", "taxes")
def nothing(store: Store, item: Record) -> list[Record]:
    """Return no discounts and taxes: they are not implemented."""
    return []


@hidden("", "breakdown")
def breakdown(store: Store, total_details: Record) -> Record:
    """Return the part of `total_details` that has no object type."""
    return {"discounts": [], "taxes": []}


def _line_items(env: StripeEnvironment, params: Record) -> list[Record]:
    given = params.get("line_items") or []
    if params["mode"] == "setup":
        if given:
            raise bad_parameter("You can not pass `line_items` in `setup` mode.", None, "line_items")
        return []
    if not given:
        raise bad_parameter("Missing required param: line_items.", "parameter_missing", "line_items")
    return [_line_item(env, item, f"line_items[{index}]") for index, item in enumerate(given)]


def _line_item(env: StripeEnvironment, given: Record, name: str) -> Record:
    price = env.require("price", given["price"], f"{name}[price]")
    if price["type"] != "recurring":
        raise StripeFailure("The sandbox sells only recurring prices.", param=f"{name}[price]")
    metered = price["recurring"]["usage_type"] == "metered"
    if metered and "quantity" in given:
        message = "Quantity should not be specified where usage_type is `metered`."
        raise StripeFailure(message, param=f"{name}[quantity]")
    if not metered and "quantity" not in given:
        raise StripeFailure(
            "Quantity is required. Add `quantity` to the line item.", param=f"{name}[quantity]"
        )
    amount = 0 if metered else (price["unit_amount"] or 0) * given["quantity"]
    product = env.store.find(price["product"]) or {}
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product.get("name"),
        "metadata": {},
        "price": price["id"],
        "quantity": None if metered else given["quantity"],
    }


def _blank(params: Record) -> dict[str, Any]:
    return {
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "currency_conversion": None,
        "custom_fields": [],
        "customer_account": None,
        "discounts": [],
        "invoice": None,
        "invoice_creation": None,
        "locale": params.get("locale"),
        "metadata": merged({}, params.get("metadata")),
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection") or "always",
        "payment_method_options": {},
        "payment_method_types": params.get("payment_method_types") or ["card"],
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "submit_type": None,
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "wallet_options": None,
    }
