"""/v1/charges and their balance transactions: created by payments, read here."""

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, Text
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record


@route("GET", "/v1/charges", {**LIST, "customer": Text(), "payment_intent": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    return page(
        env.store,
        "charge",
        params,
        "/v1/charges",
        payment_intent=params.get("payment_intent"),
        customer=params.get("customer"),
    )


@route("GET", "/v1/charges/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("charge", id)


@route("GET", "/v1/balance_transactions/{id}")
def retrieve_balance_transaction(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("balance_transaction", id)
