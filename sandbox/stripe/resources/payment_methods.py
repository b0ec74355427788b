"""/v1/payment_methods: test cards, attached to customers."""

from typing import Any

from sandbox.stripe.cards import SUCCESS, Card, card_for_number, card_for_token, declined
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import (
    ADDRESS,
    LIST,
    METADATA,
    Choice,
    Field,
    Integer,
    Required,
    Shape,
    Text,
    merged,
)
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

BILLING_DETAILS = Shape(
    {"address": ADDRESS, "email": Text(), "name": Text(), "phone": Text(), "tax_id": Text()}
)
REDISPLAY = Choice(("always", "limited", "unspecified"))
CREATE: dict[str, Field] = {
    "type": Choice(("card",)),
    "allow_redisplay": REDISPLAY,
    "billing_details": BILLING_DETAILS,
    "metadata": METADATA,
    "card": Shape(
        {"token": Text(), "number": Text(), "exp_month": Integer(1, 12), "exp_year": Integer(), "cvc": Text()}
    ),
}
UPDATE: dict[str, Field] = {
    "allow_redisplay": REDISPLAY,
    "billing_details": BILLING_DETAILS,
    "metadata": METADATA,
    "card": Shape({"exp_month": Integer(1, 12), "exp_year": Integer()}),
}


def make_card(env: StripeEnvironment, card: Card, **fields: Any) -> Record:
    """Create an unattached payment method for a test card."""
    details = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
    return env.add(
        "payment_method",
        new_id("pm"),
        allow_redisplay=fields.get("allow_redisplay") or "unspecified",
        billing_details={**details, **(fields.get("billing_details") or {})},
        card={
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": card.brand,
            "exp_month": fields.get("exp_month") or 8,
            "exp_year": fields.get("exp_year") or 2034,
            "fingerprint": f"sandbox{card.last4}",
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        customer=None,
        customer_account=None,
        metadata=merged({}, fields.get("metadata")),
        type="card",
        _behavior=card.behavior,
        _attaches=card.attaches,
        _asks_once=card.asks_once,
    )


def resolve(env: StripeEnvironment, id: str, param: str = "id") -> Record:
    """Return the payment method, created if the id is a test card's token."""
    card = card_for_token(id)
    return make_card(env, card) if card else env.require("payment_method", id, param)


def person_passed(env: StripeEnvironment, method: Record) -> None:
    """Record an authentication; a card that requires it once pays without it from now on."""
    if method["_asks_once"]:
        env.store.replace(method, _behavior=SUCCESS)


def attach_to(env: StripeEnvironment, id: str, customer: Record) -> Record:
    """Attach the method to the customer. Raises the card error of a card that Stripe declines here."""
    method = resolve(env, id, "payment_method")
    if method["customer"] not in (None, customer["id"]):
        message = "The payment method you provided has already been attached to a customer."
        raise StripeFailure(message, code="resource_already_exists", param="payment_method")
    if not method["_attaches"]:
        raise declined(method["_behavior"])
    attached = env.change(method, customer=customer["id"])
    if method["customer"] is None:
        env.emit("payment_method.attached", attached)
    return attached


@route("POST", "/v1/payment_methods", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    card = params.get("card")
    if not card or not (card.get("token") or card.get("number")):
        raise bad_parameter("Missing required param: card.", "parameter_missing", "card")
    found = card_for_token(card["token"]) if card.get("token") else card_for_number(card["number"])
    if found is None:
        raise bad_parameter(f"No such token: '{card['token']}'", "resource_missing", "card[token]")
    details = {name: value for name, value in params.items() if name != "card"}
    return make_card(env, found, **details, exp_month=card.get("exp_month"), exp_year=card.get("exp_year"))


@route("GET", "/v1/payment_methods", {**LIST, "customer": Text(), "type": Text(), "allow_redisplay": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    customer = params.get("customer")
    if customer:
        env.require("customer", customer, "customer")
    return page(
        env.store,
        "payment_method",
        params,
        "/v1/payment_methods",
        customer=customer,
        type=params.get("type"),
    )


@route("GET", "/v1/payment_methods/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return resolve(env, id)


@route("POST", "/v1/payment_methods/{id}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    method = env.require("payment_method", id)
    changes: dict[str, Any] = {}
    if params.get("allow_redisplay"):
        changes["allow_redisplay"] = params["allow_redisplay"]
    if params.get("billing_details"):
        changes["billing_details"] = {**method["billing_details"], **params["billing_details"]}
    if params.get("card"):
        changes["card"] = {**method["card"], **params["card"]}
    if "metadata" in params:
        changes["metadata"] = merged(method["metadata"], params["metadata"])
    return env.change(method, "payment_method.updated", **changes)


@route("POST", "/v1/payment_methods/{id}/attach", {"customer": Required(Text())})
def attach(env: StripeEnvironment, params: Record, id: str) -> Record:
    return attach_to(env, id, env.require("customer", params["customer"], "customer"))


@route("POST", "/v1/payment_methods/{id}/detach")
def detach(env: StripeEnvironment, params: Record, id: str) -> Record:
    method = env.require("payment_method", id)
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise StripeFailure(message, param="payment_method")
    customer = env.require("customer", method["customer"])
    if customer["invoice_settings"]["default_payment_method"] == id:
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        env.change(customer, "customer.updated", invoice_settings=settings)
    return release_body(env, method)


def release_body(env: StripeEnvironment, method: Record) -> Record:
    """Detach the method, emit the event, and return the method."""
    detached = env.change(method, customer=None)
    env.emit("payment_method.detached", detached, {"customer": method["customer"]})
    return detached
