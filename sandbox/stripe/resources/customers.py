"""/v1/customers"""

import random
import string
from typing import Any

from sandbox.stripe.billing.subscription_status import ENDED, end
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter, missing_object
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import (
    ADDRESS,
    LIST,
    METADATA,
    Choice,
    Field,
    Integer,
    Listed,
    Shape,
    Text,
    merged,
)
from sandbox.stripe.render import hidden, listed, present
from sandbox.stripe.resources import customer_balance, payment_methods
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

UPDATE: dict[str, Field] = {
    "address": ADDRESS,
    "balance": Integer(-99_999_999, 99_999_999),
    "description": Text(),
    "email": Text(512),
    "invoice_settings": Shape({"default_payment_method": Text(), "footer": Text()}),
    "metadata": METADATA,
    "name": Text(256),
    "phone": Text(20),
    "preferred_locales": Listed(Text()),
    "shipping": Shape({"address": ADDRESS, "name": Text(), "phone": Text()}),
    "tax_exempt": Choice(("none", "exempt", "reverse")),
}
CREATE: dict[str, Field] = {**UPDATE, "payment_method": Text(), "invoice_prefix": Text(12)}
_PLAIN = ("address", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")


@route("POST", "/v1/customers", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    _check_email(params.get("email"))
    id = new_id("cus", 14)
    customer = env.add(
        "customer",
        id,
        address=params.get("address"),
        balance=0,
        currency=None,
        default_source=None,
        delinquent=False,
        description=params.get("description"),
        discount=None,
        email=params.get("email"),
        invoice_prefix=params.get("invoice_prefix") or "".join(random.choices(string.ascii_uppercase, k=8)),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": (params.get("invoice_settings") or {}).get("footer"),
            "rendering_options": None,
        },
        metadata=merged({}, params.get("metadata")),
        name=params.get("name"),
        next_invoice_sequence=1,
        phone=params.get("phone"),
        preferred_locales=params.get("preferred_locales") or [],
        shipping=params.get("shipping"),
        tax_exempt=params.get("tax_exempt") or "none",
        test_clock=None,
    )
    attached = (
        payment_methods.attach_to(env, params["payment_method"], customer)
        if params.get("payment_method")
        else None
    )
    default = (params.get("invoice_settings") or {}).get("default_payment_method")
    if default:
        # A test card's token in both parameters means the payment method that was just attached.
        same = attached and default in (params["payment_method"], attached["id"])
        customer = _with_default(env, customer, attached["id"] if attached and same else default)
    env.emit("customer.created", customer)
    if params.get("balance"):
        customer_balance.adjust(env, id, params["balance"], "usd", {}, "initial")
    return env.require("customer", id)


@route("GET", "/v1/customers", {**LIST, "email": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    return page(env.store, "customer", params, "/v1/customers", email=params.get("email"))


@route("GET", "/v1/customers/search", {"query": Text(), "limit": LIST["limit"], "page": Text()})
def search(env: StripeEnvironment, params: Record) -> Record:
    """Search for `email:'…'` and `metadata['key']:'…'` only, first page only."""
    name, _, quoted = (params.get("query") or "").partition(":")
    wanted = quoted.strip().strip("'\"")
    if name == "email":
        found = list(env.store.newest("customer", email=wanted))
    elif name.startswith("metadata["):
        key = name[len("metadata[") :].rstrip("]").strip("'\"")
        found = [each for each in env.store.newest("customer") if each["metadata"].get(key) == wanted]
    else:
        raise bad_parameter("The sandbox searches by email or metadata only.", None, "query")
    limit = params.get("limit", 10)
    return {
        "object": "search_result",
        "url": "/v1/customers/search",
        "has_more": len(found) > limit,
        "next_page": None,
        "data": found[:limit],
    }


@route("GET", "/v1/customers/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Return a customer; a deleted one as `{id, deleted: true}`."""
    customer = env.store.get("customer", id)
    if customer is None:
        raise missing_object("customer", id)
    return customer


@route("POST", "/v1/customers/{id}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    customer = env.require("customer", id)
    _check_email(params.get("email"))
    changes: dict[str, Any] = {name: params[name] for name in _PLAIN if name in params}
    if "metadata" in params:
        changes["metadata"] = merged(customer["metadata"], params["metadata"])
    if "invoice_settings" in params:
        settings = params["invoice_settings"] or {"default_payment_method": None, "footer": None}
        if settings.get("default_payment_method"):
            _own_method(env, customer, settings["default_payment_method"])
        changes["invoice_settings"] = {**customer["invoice_settings"], **settings}
    if params.get("balance", customer["balance"]) != customer["balance"]:
        amount = params["balance"] - customer["balance"]
        customer_balance.adjust(env, id, amount, customer["currency"] or "usd", {})
        customer = env.require("customer", id)
    return env.change(customer, "customer.updated", **changes)


@route("DELETE", "/v1/customers/{id}")
def delete(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Delete a customer: cancel subscriptions, delete drafts, detach payment methods."""
    customer = env.require("customer", id)
    for subscription in list(env.store.newest("subscription", customer=id)):
        if subscription["status"] not in ENDED:
            end(env, subscription, reason="cancellation_requested")
    for invoice in list(env.store.newest("invoice", customer=id)):
        if invoice["status"] == "draft":
            env.emit("invoice.deleted", invoice)
            env.change(invoice, deleted=True, _due_at=None)
    for method in list(env.store.newest("payment_method", customer=id)):
        payment_methods.release_body(env, method)
    # Before the change: a deleted object is shown by its id only, but the event holds all of it.
    env.emit("customer.deleted", customer)
    return env.change(customer, deleted=True)


@route("GET", "/v1/customers/{id}/payment_methods", {**LIST, "type": Text(), "allow_redisplay": Text()})
def list_payment_methods(env: StripeEnvironment, params: Record, id: str) -> Record:
    env.require("customer", id, "customer")
    url = f"/v1/customers/{id}/payment_methods"
    return page(env.store, "payment_method", params, url, customer=id, type=params.get("type"))


@route("GET", "/v1/customers/{id}/payment_methods/{method}")
def retrieve_payment_method(env: StripeEnvironment, params: Record, id: str, method: str) -> Record:
    found = env.require("payment_method", method)
    if found["customer"] != id:
        raise missing_object("payment_method", method)
    return found


@route("GET", "/v1/customers/{id}/tax_ids", LIST)
def list_tax_ids(env: StripeEnvironment, params: Record, id: str) -> Record:
    return listed(f"/v1/customers/{id}/tax_ids", [])


@hidden("customer", "sources")
def sources(store: Store, customer: Record) -> Record:
    return listed(f"/v1/customers/{customer['id']}/sources", [])


@hidden("customer", "tax_ids")
def tax_ids(store: Store, customer: Record) -> Record:
    return listed(f"/v1/customers/{customer['id']}/tax_ids", [])


@hidden("customer", "subscriptions")
def subscriptions(store: Store, customer: Record) -> Record:
    found = [
        present(store, each)
        for each in store.newest("subscription", customer=customer["id"])
        if each["status"] not in ENDED
    ]
    return listed(f"/v1/customers/{customer['id']}/subscriptions", found)


def _check_email(email: str | None) -> None:
    if email is not None and ("@" not in email or email.startswith("@") or email.endswith("@")):
        raise StripeFailure(f"Invalid email address: {email}", code="email_invalid", param="email")


def _own_method(env: StripeEnvironment, customer: Record, method: str) -> Record:
    found = env.store.get("payment_method", method)
    if found is None or found["customer"] != customer["id"]:
        message = (
            f"The customer does not have a payment method with the ID {method}. "
            "The payment method must be attached to the customer."
        )
        raise StripeFailure(
            message, code="resource_missing", param="invoice_settings[default_payment_method]"
        )
    return found


def _with_default(env: StripeEnvironment, customer: Record, method: str) -> Record:
    _own_method(env, customer, method)
    settings = {**customer["invoice_settings"], "default_payment_method": method}
    return env.change(customer, invoice_settings=settings)
