"""/v1/refunds: full and partial refunds of a charge."""

from sandbox.stripe.billing.ledger import book
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, METADATA, Choice, Field, Integer, Text, merged
from sandbox.stripe.render import hidden, listed, present
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

CREATE: dict[str, Field] = {
    "charge": Text(),
    "payment_intent": Text(),
    "amount": Integer(1),
    "metadata": METADATA,
    "reason": Choice(("duplicate", "fraudulent", "requested_by_customer")),
}


@route("POST", "/v1/refunds", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    """Refund at once. The invoice stays paid, as at Stripe."""
    charge = _charge(env, params)
    amount = params.get("amount") or charge["amount"] - charge["amount_refunded"]
    _check(charge, amount)
    id = new_id("re")
    refunded = charge["amount_refunded"] + amount
    paid_back = book(
        env,
        type="refund",
        source=id,
        amount=-amount,
        currency=charge["currency"],
        fee=0,
        text=f"REFUND FOR CHARGE ({charge['description']})",
    )
    refund = env.add(
        "refund",
        id,
        amount=amount,
        balance_transaction=paid_back["id"],
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        metadata=merged({}, params.get("metadata")),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        receipt_number=None,
        source_transfer_reversal=None,
        status="succeeded",
        transfer_reversal=None,
    )
    env.change(charge, "charge.refunded", amount_refunded=refunded, refunded=refunded == charge["amount"])
    env.emit("refund.created", refund)
    return refund


def _charge(env: StripeEnvironment, params: Record) -> Record:
    if params.get("charge"):
        return env.require("charge", params["charge"], "charge")
    if not params.get("payment_intent"):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise bad_parameter(message, "parameter_missing", "charge")
    intent = env.require("payment_intent", params["payment_intent"], "payment_intent")
    charge = env.store.get("charge", intent["latest_charge"] or "")
    if charge is None or not charge["paid"]:
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise StripeFailure(message, param="payment_intent")
    return charge


def _check(charge: Record, amount: int) -> None:
    rest = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise StripeFailure(f"Charge {charge['id']} has failed, so it can't be refunded.", param="charge")
    # The bank has taken the money back already, so a refund would pay it twice.
    if charge["disputed"]:
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeFailure(message, code="charge_disputed")
    if not rest:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeFailure(message, code="charge_already_refunded")
    if amount > rest:
        message = (
            f"Refund amount (${amount / 100:.2f}) is greater than unrefunded amount on charge "
            f"(${rest / 100:.2f})"
        )
        raise StripeFailure(message, param="amount")


@route("GET", "/v1/refunds", {**LIST, "charge": Text(), "payment_intent": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    return page(
        env.store,
        "refund",
        params,
        "/v1/refunds",
        charge=params.get("charge"),
        payment_intent=params.get("payment_intent"),
    )


@route("GET", "/v1/charges/{id}/refunds", LIST)
def list_of_charge(env: StripeEnvironment, params: Record, id: str) -> Record:
    env.require("charge", id, "charge")
    return page(env.store, "refund", params, f"/v1/charges/{id}/refunds", charge=id)


@route("GET", "/v1/refunds/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("refund", id)


@route("POST", "/v1/refunds/{id}", {"metadata": METADATA})
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    refund = env.require("refund", id)
    metadata = merged(refund["metadata"], params.get("metadata", {}))
    return env.change(refund, "refund.updated", metadata=metadata)


@hidden("charge", "refunds")
def refunds(store: Store, charge: Record) -> Record:
    found = [present(store, each) for each in store.newest("refund", charge=charge["id"])]
    return listed(f"/v1/charges/{charge['id']}/refunds", found)
