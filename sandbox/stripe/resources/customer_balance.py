"""/v1/customers/{id}/balance_transactions: credit and debt, added manually or by invoices."""

from typing import Any

from sandbox.stripe.billing import balance
from sandbox.stripe.billing.invoicing import refresh_drafts
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, missing_object
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, METADATA, Choice, Field, Integer, Required, Text, merged
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

PATH = "/v1/customers/{id}/balance_transactions"
KIND = "customer_balance_transaction"
UPDATE: dict[str, Field] = {"description": Text(350), "metadata": METADATA}
CREATE: dict[str, Field] = {
    **UPDATE,
    "amount": Required(Integer(-99_999_999, 99_999_999)),
    "currency": Required(Choice(tuple(balance.SMALLEST_CHARGE))),
}


@route("POST", PATH, CREATE)
def create(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Create a transaction; a negative amount is credit. A customer's money is in one currency."""
    customer = env.require("customer", id)
    if customer["currency"] not in (None, params["currency"]):
        message = (
            f"The currency {params['currency']} does not match the customer's, {customer['currency']}: "
            "a customer has one currency."
        )
        raise StripeFailure(message, param="currency")
    return adjust(env, id, params["amount"], params["currency"], params)


def adjust(
    env: StripeEnvironment,
    customer: str,
    amount: int,
    currency: str,
    params: Record,
    type: str = "adjustment",
) -> Record:
    """Change the balance manually; drafts include it at once."""
    metadata = merged({}, params.get("metadata"))
    fields = {"description": params.get("description"), "metadata": metadata}
    transaction = balance.move(env, customer, amount, type, currency, **fields)
    refresh_drafts(env, customer)
    return transaction


@route("GET", PATH, {**LIST, "invoice": Text()})
def list_all(env: StripeEnvironment, params: Record, id: str) -> Record:
    env.require("customer", id)

    def keep(transaction: Record) -> bool:
        return params.get("invoice") in (None, transaction["invoice"])

    return page(env.store, KIND, params, PATH.format(id=id), keep=keep, customer=id)


@route("GET", f"{PATH}/{{transaction}}")
def retrieve(env: StripeEnvironment, params: Record, id: str, transaction: str) -> Record:
    found = env.require(KIND, transaction)
    if found["customer"] != id:
        raise missing_object(KIND, transaction)
    return found


@route("POST", f"{PATH}/{{transaction}}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str, transaction: str) -> Record:
    """Change only the description and metadata: amounts are immutable."""
    found = retrieve(env, {}, id, transaction)
    changes: dict[str, Any] = {"description": params["description"]} if "description" in params else {}
    if "metadata" in params:
        changes["metadata"] = merged(found["metadata"], params["metadata"])
    return env.change(found, **changes)
