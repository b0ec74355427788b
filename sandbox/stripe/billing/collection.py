"""Collect an open invoice from a card: paid, declined, or waiting for authentication."""

from typing import Any

from sandbox.stripe.billing.payments import make_charge
from sandbox.stripe.billing.subscription_status import after_failure, after_payment, end
from sandbox.stripe.cards import AUTHENTICATION, SUCCESS, declined
from sandbox.stripe.clock import DAY
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, card_error
from sandbox.stripe.render import present
from sandbox.stripe.store import Record

# After the last attempt the subscription is canceled, which is the default of a Stripe account.
RETRY_AFTER_DAYS = (3, 5, 7)


def default_method(env: StripeEnvironment, invoice: Record) -> Record | None:
    """Return the payment method that is charged: the invoice's, the subscription's, or the customer's."""
    subscription = env.store.get("subscription", invoice["_subscription"]) or {}
    customer = env.require("customer", invoice["customer"])
    for id in (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
    ):
        method = env.store.get("payment_method", id or "")
        # A detached card may still be named as the default, but is not charged.
        if method and method["customer"] == customer["id"]:
            return method
    return None


def intent_of(env: StripeEnvironment, invoice: Record) -> Record | None:
    payment = next(env.store.newest("invoice_payment", invoice=invoice["id"]), None)
    return env.store.get("payment_intent", payment["_payment_intent"]) if payment else None


def collect(
    env: StripeEnvironment, invoice: Record, method: Record | None = None, *, authenticated: bool = False
) -> Record:
    """Try once to pay an open invoice; return the invoice afterwards, paid or still open.

    `authenticated`: the person has just passed the bank's 3-D Secure request.
    """
    # Nothing due is paid without a card, and without an attempt.
    if not invoice["amount_due"]:
        return mark_paid(env, invoice)
    method = method or default_method(env, invoice)
    if method is None:
        return _failed(env, invoice, None, _no_method())
    if method["_behavior"] == SUCCESS or (authenticated and method["_behavior"] == AUTHENTICATION):
        _succeed(env, invoice, method)
        return mark_paid(env, invoice)
    if method["_behavior"] == AUTHENTICATION:
        return _failed(env, invoice, method, _needs_person())
    return _failed(env, invoice, method, declined(method["_behavior"]))


def collect_or_raise(env: StripeEnvironment, invoice: Record, method: Record | None = None) -> Record:
    """Collect, and raise the error of a declined payment; what the attempt wrote is kept."""
    invoice = collect(env, invoice, method)
    if invoice["status"] == "paid":
        return invoice
    error = invoice["_last_error"]
    # Otherwise the rollback would remove the failed charge, the attempt and their events.
    raise StripeFailure(**{**error, "keeps_changes": True})


def mark_paid(env: StripeEnvironment, invoice: Record, **changes: Any) -> Record:
    """Mark the invoice as paid and update its subscription."""
    now = env.now()
    paid = env.change(
        invoice,
        "invoice.updated",
        status="paid",
        attempted=True,
        auto_advance=False,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempt_count=invoice["attempt_count"] + (1 if invoice["amount_due"] else 0),
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": now},
        _due_at=None,
        **changes,
    )
    payment = next(env.store.newest("invoice_payment", invoice=invoice["id"]), None)
    if payment:
        transitions = {**payment["status_transitions"], "paid_at": now}
        env.change(payment, status="paid", amount_paid=paid["amount_due"], status_transitions=transitions)
    env.emit("invoice.paid", paid)
    env.emit("invoice.payment_succeeded", paid)
    after_payment(env, paid)
    return paid


def _succeed(env: StripeEnvironment, invoice: Record, method: Record) -> None:
    intent = intent_of(env, invoice) or {}
    charge = make_charge(env, invoice, intent, method, None)
    env.emit("charge.succeeded", charge)
    settled = env.store.replace(
        intent,
        status="succeeded",
        amount_received=invoice["amount_due"],
        last_payment_error=None,
        latest_charge=charge["id"],
        next_action=None,
        payment_method=method["id"],
    )
    env.emit("payment_intent.succeeded", settled)


def _failed(env: StripeEnvironment, invoice: Record, method: Record | None, failure: StripeFailure) -> Record:
    intent = intent_of(env, invoice) or {}
    # Waiting for the person is not a decline: no failed charge, and the card stays on the intent.
    waiting = failure.error.get("code") == AUTHENTICATION
    charge = make_charge(env, invoice, intent, method, failure) if method and not waiting else None
    if charge:
        env.emit("charge.failed", charge)
    intent = env.store.replace(
        intent,
        status="requires_action" if waiting else "requires_payment_method",
        last_payment_error=_with_method(env, failure, method),
        latest_charge=charge["id"] if charge else intent["latest_charge"],
        next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {}} if waiting else None,
        payment_method=method["id"] if waiting and method else None,
    )
    env.emit("payment_intent.requires_action" if waiting else "payment_intent.payment_failed", intent)
    attempts = invoice["attempt_count"] + 1
    retry_at = _retry_at(env, invoice, attempts)
    error = {**failure.error, "status": failure.status, "payment_intent": present(env.store, intent)}
    error.pop("doc_url", None)
    invoice = env.store.replace(
        invoice,
        attempt_count=attempts,
        attempted=True,
        next_payment_attempt=retry_at,
        _due_at=retry_at,
        _last_error=error,
    )
    if waiting:
        env.emit("invoice.payment_action_required", invoice)
    env.emit("invoice.payment_failed", invoice)
    after_failure(env, invoice)
    _give_up(env, invoice)
    return env.require("invoice", invoice["id"])


def _retry_at(env: StripeEnvironment, invoice: Record, attempts: int) -> int | None:
    # The first invoice is never retried: its subscription expires (see `due_at`).
    first = invoice["billing_reason"] == "subscription_create"
    if first or not invoice["auto_advance"] or attempts > len(RETRY_AFTER_DAYS):
        return None
    return env.now() + RETRY_AFTER_DAYS[attempts - 1] * DAY


def _give_up(env: StripeEnvironment, invoice: Record) -> None:
    subscription = env.store.get("subscription", invoice["_subscription"])
    exhausted = invoice["attempt_count"] == len(RETRY_AFTER_DAYS) + 1
    if exhausted and subscription and subscription["status"] == "past_due":
        end(env, subscription, reason="payment_failed")


def _with_method(env: StripeEnvironment, failure: StripeFailure, method: Record | None) -> Record:
    return {**failure.error, **({"payment_method": present(env.store, method)} if method else {})}


def _no_method() -> StripeFailure:
    message = "This customer has no attached payment source or default payment method."
    return StripeFailure(message, code="resource_missing", param="payment_method")


def _needs_person() -> StripeFailure:
    message = "Your card was declined. This transaction requires authentication."
    return card_error(message, code=AUTHENTICATION, decline_code=AUTHENTICATION)
