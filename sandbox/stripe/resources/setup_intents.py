"""/v1/setup_intents: save a card for later."""

from typing import Any

from sandbox.stripe.cards import AUTHENTICATION, not_authenticated
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.ids import new_id, new_secret
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, METADATA, Choice, Field, Flag, Listed, Shape, Text, merged
from sandbox.stripe.render import present
from sandbox.stripe.resources import payment_methods
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

CREATE: dict[str, Field] = {
    "customer": Text(),
    "payment_method": Text(),
    "confirm": Flag(),
    "usage": Choice(("off_session", "on_session")),
    "payment_method_types": Listed(Text()),
    "automatic_payment_methods": Shape({"enabled": Flag(), "allow_redirects": Text()}),
    "description": Text(),
    "metadata": METADATA,
    "return_url": Text(),
}


@route("POST", "/v1/setup_intents", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    if params.get("customer"):
        env.require("customer", params["customer"], "customer")
    intent = make_intent(env, params)
    if params.get("confirm"):
        return confirm(env, {"payment_method": params.get("payment_method")}, intent["id"])
    return intent


def make_intent(env: StripeEnvironment, params: Record) -> Record:
    """Create a setup intent without a card."""
    id = new_id("seti")
    return env.add(
        "setup_intent",
        id,
        event="setup_intent.created",
        application=None,
        automatic_payment_methods=params.get("automatic_payment_methods"),
        cancellation_reason=None,
        client_secret=new_secret(f"{id}_secret"),
        customer=params.get("customer"),
        customer_account=None,
        description=params.get("description"),
        flow_directions=None,
        last_setup_error=None,
        latest_attempt=None,
        mandate=None,
        metadata=merged({}, params.get("metadata")),
        next_action=None,
        on_behalf_of=None,
        payment_method=params.get("payment_method"),
        payment_method_options={},
        payment_method_types=params.get("payment_method_types") or ["card"],
        single_use_mandate=None,
        status="requires_confirmation" if params.get("payment_method") else "requires_payment_method",
        usage=params.get("usage") or "off_session",
    )


@route("GET", "/v1/setup_intents", {**LIST, "customer": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    return page(env.store, "setup_intent", params, "/v1/setup_intents", customer=params.get("customer"))


@route("GET", "/v1/setup_intents/{id}", {"client_secret": Text()})
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("setup_intent", id)


@route("POST", "/v1/setup_intents/{id}/confirm", {"payment_method": Text(), "return_url": Text()})
def confirm(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Attach the card. A declined one returns 402; one that requires authentication waits for it."""
    intent = env.require("setup_intent", id)
    if intent["status"] in ("succeeded", "canceled"):
        message = f"You cannot confirm this SetupIntent because it has a status of {intent['status']}."
        raise StripeFailure(message, code="setup_intent_unexpected_state")
    given = params.get("payment_method") or intent["payment_method"]
    if not given:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise StripeFailure(message, code="setup_intent_unexpected_state")
    method = payment_methods.resolve(env, given, "payment_method")
    if method["_behavior"] == AUTHENTICATION:
        waiting = env.change(
            intent,
            status="requires_action",
            payment_method=method["id"],
            next_action={"type": "use_stripe_sdk"},
        )
        env.emit("setup_intent.requires_action", waiting)
        return waiting
    return complete(env, intent, method)


@route("POST", "/v1/setup_intents/{id}/cancel")
def cancel(env: StripeEnvironment, params: Record, id: str) -> Record:
    canceled = env.change(env.require("setup_intent", id), status="canceled", next_action=None)
    env.emit("setup_intent.canceled", canceled)
    return canceled


def authenticate(env: StripeEnvironment, intent: Record, *, success: bool) -> Record:
    """Answer the bank's 3-D Secure request."""
    if intent["status"] != "requires_action":
        raise StripeFailure("This SetupIntent does not wait for the person.")
    if not success:
        return _fail(env, intent, not_authenticated("setup_intent"))
    method = env.require("payment_method", intent["payment_method"])
    payment_methods.person_passed(env, method)
    return complete(env, intent, method)


def _fail(env: StripeEnvironment, intent: Record, failure: StripeFailure, **more: Any) -> Record:
    """Reset the intent, so that another card can be used."""
    failed = env.change(
        intent,
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_setup_error={**failure.error, **more},
    )
    env.emit("setup_intent.setup_failed", failed)
    return failed


def complete(env: StripeEnvironment, intent: Record, method: Record) -> Record:
    """Save the card: attach it to the intent's customer, if it has one."""
    changes: dict[str, Any] = {"next_action": None, "last_setup_error": None}
    if intent["customer"] and method["customer"] is None:
        customer = env.require("customer", intent["customer"])
        try:
            method = payment_methods.attach_to(env, method["id"], customer)
        except StripeFailure as declined:
            _fail(env, intent, declined, payment_method=present(env.store, method))
            # The failure stays on the intent, which can be confirmed with another card.
            declined.keeps_changes = True
            raise
    done = env.change(intent, status="succeeded", payment_method=method["id"], **changes)
    env.emit("setup_intent.succeeded", done)
    return done
