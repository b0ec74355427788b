"""Stripe's hosted pages: a person pays at Checkout or an invoice, or manages cards."""

from typing import Any

from sandbox.stripe.billing.collection import collect, default_method
from sandbox.stripe.cards import AUTHENTICATION, card_for_number, not_authenticated
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.resources import customers, payment_methods, setup_intents, subscriptions
from sandbox.stripe.store import Record


class PersonNeeded(Exception):
    """The bank requires authentication; ask the person, and call again with `passed`."""


def complete_checkout(
    env: StripeEnvironment,
    session: Record,
    *,
    number: str,
    email: str | None = None,
    passed: bool | None = None,
) -> Record:
    """Pay a session with a card number; return the completed session.

    `passed` is the person's answer to 3-D Secure. Raises PersonNeeded, or the card's error, after which the
    caller's transaction is rolled back and the session stays open.
    """
    if session["status"] != "open":
        raise StripeFailure(f"This session is {session['status']}.")
    card = card_for_number(number)
    _ask_person(card.behavior, passed)
    customer = _customer(env, session, email)
    method = payment_methods.make_card(env, card, billing_details={"email": customer["email"]})
    changes: dict[str, Any] = {"customer": customer["id"], "status": "complete", "url": None, "_due_at": None}
    if session["mode"] == "setup":
        intent = env.change(env.require("setup_intent", session["setup_intent"]), customer=customer["id"])
        setup_intents.complete(env, intent, method)
    else:
        method = payment_methods.attach_to(env, method["id"], customer)
        changes |= _subscribe(env, session, customer, method)
    payment_methods.person_passed(env, method)
    changes["customer_details"] = _details(customer)
    completed = env.change(session, **changes)
    env.emit("checkout.session.completed", completed)
    return completed


def _ask_person(behavior: str, passed: bool | None) -> None:
    if behavior != AUTHENTICATION:
        return
    if passed is None:
        raise PersonNeeded
    if not passed:
        raise not_authenticated("payment_intent")


def _customer(env: StripeEnvironment, session: Record, email: str | None) -> Record:
    if session["customer"]:
        return env.require("customer", session["customer"])
    return customers.create(env, {"email": session["customer_email"] or email})


def _details(customer: Record) -> Record:
    names = ("address", "email", "name", "phone", "tax_exempt")
    return {
        **{name: customer[name] for name in names},
        "business_name": None,
        "individual_name": None,
        "tax_ids": [],
    }


def _subscribe(env: StripeEnvironment, session: Record, customer: Record, method: Record) -> dict[str, Any]:
    data = dict(session["_params"].get("subscription_data") or {})
    items = [{"price": item["price"], **_quantity(item)} for item in session["_items"]]
    subscription = subscriptions.create(
        env,
        {
            **data,
            "customer": customer["id"],
            "items": items,
            "default_payment_method": method["id"],
            # Not charged by `create`: the person has answered the
            # bank's request, which only `collect` below knows.
            "payment_behavior": "default_incomplete",
        },
    )
    paid = "no_payment_required"
    if subscription["status"] == "incomplete":
        invoice = env.require("invoice", subscription["latest_invoice"])
        invoice = collect(env, invoice, method, authenticated=True)
        if invoice["status"] != "paid":
            raise StripeFailure(**invoice["_last_error"])
        paid = "paid"
    current = env.require("subscription", subscription["id"])
    return {"subscription": current["id"], "invoice": current["latest_invoice"], "payment_status": paid}


def _quantity(item: Record) -> dict[str, int]:
    return {"quantity": item["quantity"]} if item["quantity"] is not None else {}


def replace_card(
    env: StripeEnvironment, customer: Record, *, number: str, passed: bool | None = None
) -> Record:
    """Save a card as the default for all payments; return the attached payment method."""
    card = card_for_number(number)
    _ask_person(card.behavior, passed)
    made = payment_methods.make_card(env, card, billing_details={"email": customer["email"]})
    method = payment_methods.attach_to(env, made["id"], customer)
    payment_methods.person_passed(env, method)
    customers.update(env, {"invoice_settings": {"default_payment_method": method["id"]}}, customer["id"])
    # A subscription's own card is charged before the customer's (see `default_method`).
    for subscription in list(env.store.newest("subscription", customer=customer["id"])):
        if subscription["default_payment_method"]:
            change = {"default_payment_method": method["id"]}
            env.change(subscription, "customer.subscription.updated", **change)
    return method


def pay_invoice(
    env: StripeEnvironment, invoice: Record, *, number: str | None = None, passed: bool | None = None
) -> Record:
    """Pay an open invoice with a new card or the one on file.

    Like `complete_checkout`, but a declined attempt is kept.
    """
    if invoice["status"] not in ("open", "uncollectible"):
        raise StripeFailure(f"This invoice is {invoice['status']}.")
    if number is None:
        method = default_method(env, invoice)
        if method is None:
            raise StripeFailure("There is no card on file. Please enter one.")
        _ask_person(method["_behavior"], passed)
    else:
        card = card_for_number(number)
        _ask_person(card.behavior, passed)
        customer = env.require("customer", invoice["customer"])
        made = payment_methods.make_card(env, card, billing_details={"email": customer["email"]})
        method = payment_methods.attach_to(env, made["id"], customer)
    invoice = collect(env, invoice, method, authenticated=bool(passed))
    if invoice["status"] != "paid":
        raise StripeFailure(**invoice["_last_error"], keeps_changes=True)
    payment_methods.person_passed(env, env.require("payment_method", method["id"]))
    return invoice
