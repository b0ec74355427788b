"""/v1/payment_intents: those of invoices."""

from sandbox.stripe.billing.collection import collect
from sandbox.stripe.cards import not_authenticated
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, Flag, Text
from sandbox.stripe.resources import payment_methods
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record


@route("GET", "/v1/payment_intents", {**LIST, "customer": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    return page(env.store, "payment_intent", params, "/v1/payment_intents", customer=params.get("customer"))


@route("GET", "/v1/payment_intents/{id}", {"client_secret": Text()})
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("payment_intent", id)


@route(
    "POST",
    "/v1/payment_intents/{id}/confirm",
    {"payment_method": Text(), "off_session": Flag(), "return_url": Text()},
)
def confirm(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Pay the invoice with this card. A card that requires authentication leaves it at `requires_action`."""
    intent = env.require("payment_intent", id)
    if intent["status"] in ("succeeded", "canceled"):
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise StripeFailure(message, code="payment_intent_unexpected_state")
    given = params.get("payment_method") or intent["payment_method"]
    if not given:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise StripeFailure(message, code="payment_intent_unexpected_state")
    method = payment_methods.resolve(env, given, "payment_method")
    if method["customer"] is None:
        method = payment_methods.attach_to(env, method["id"], env.require("customer", intent["customer"]))
    invoice = collect(env, env.require("invoice", intent["_invoice"]), method)
    intent = env.require("payment_intent", id)
    if invoice["status"] != "paid" and intent["status"] != "requires_action":
        raise StripeFailure(**invoice["_last_error"], keeps_changes=True)
    return intent


def authenticate(env: StripeEnvironment, intent: Record, *, success: bool) -> Record:
    """Answer the bank's 3-D Secure request (only on the sandbox's own pages)."""
    if intent["status"] != "requires_action":
        raise StripeFailure("This PaymentIntent does not wait for the person.")
    if success:
        method = env.require("payment_method", intent["payment_method"])
        collect(env, env.require("invoice", intent["_invoice"]), method, authenticated=True)
        payment_methods.person_passed(env, method)
        return env.require("payment_intent", intent["id"])
    error = not_authenticated("payment_intent").error
    failed = env.change(
        intent,
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error=error,
    )
    env.emit("payment_intent.payment_failed", failed)
    return failed
