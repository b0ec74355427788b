"""/v1/charges and the balance transactions behind them: made by payments, read here."""

from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, Text
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record
from sandbox.stripe.world import World


@route("GET", "/v1/charges", {**LIST, "customer": Text(), "payment_intent": Text()})
def list_all(world: World, params: Record) -> Record:
    return page(
        world.store,
        "charge",
        params,
        "/v1/charges",
        payment_intent=params.get("payment_intent"),
        customer=params.get("customer"),
    )


@route("GET", "/v1/charges/{id}")
def retrieve(world: World, params: Record, id: str) -> Record:
    return world.require("charge", id)


@route("GET", "/v1/balance_transactions/{id}")
def retrieve_balance_transaction(world: World, params: Record, id: str) -> Record:
    return world.require("balance_transaction", id)
