"""/v1/invoices/create_preview: make the change, read its invoice, and roll everything back.

So a preview equals what later happens, to the cent, if the change is made at the same timestamp or with the
same `proration_date`.
"""

from typing import Any

from sandbox.stripe.billing import balance, subscribing
from sandbox.stripe.billing.finalization import GRACE
from sandbox.stripe.billing.invoice_fields import embed_lines
from sandbox.stripe.billing.subscription_status import ENDED, due_at
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.params import Choice, Either, Field, Flag, Integer, Listed, Shape, Text
from sandbox.stripe.render import without_ours
from sandbox.stripe.resources import subscriptions
from sandbox.stripe.resources.subscription_items import ITEM
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

PREVIEW: dict[str, Field] = {
    "customer": Text(),
    "subscription": Text(),
    "subscription_details": Shape(
        {
            "billing_cycle_anchor": Choice(("now", "unchanged")),
            "cancel_at": Integer(0),
            "cancel_at_period_end": Flag(),
            "cancel_now": Flag(),
            "items": Listed(ITEM),
            "proration_behavior": Choice(("always_invoice", "create_prorations", "none")),
            "proration_date": Integer(0),
            "trial_end": Either(("now",), Integer(0)),
        }
    ),
}


@route("POST", "/v1/invoices/create_preview", PREVIEW)
def create_preview(env: StripeEnvironment, params: Record) -> Record:
    """Return the invoice of a change, or else the subscription's next invoice, with the usage so far."""
    details = dict(params.get("subscription_details") or {})
    with env.store.trial():
        subscription = _subscription(env, params)
        newest = next(env.store.newest("invoice"), None)
        subscription = _change(env, params, subscription, details)
        invoice = _made_since(env, newest) or _next_invoice(env, subscription, newest)
        # A draft has not taken from the balance yet; the preview shows what it will take.
        if invoice["status"] == "draft":
            invoice = {**invoice, **balance.settle(env, invoice)}
    preview = _as_preview(invoice)
    lines = embed_lines(preview["lines"])
    if lines["has_more"]:
        # Only the lines are kept, to be read by page.
        env.add("sandbox.preview", preview["id"], lines=preview["lines"])
    return {**preview, "lines": lines}


def _subscription(env: StripeEnvironment, params: Record) -> Record | None:
    """Return the named subscription, or the customer's newest running one; None if a new one is previewed."""
    if params.get("subscription"):
        return env.require("subscription", params["subscription"], "subscription")
    if not params.get("customer"):
        message = "You must specify at least one of: customer, subscription."
        raise bad_parameter(message, "parameter_missing", "customer")
    customer = env.require("customer", params["customer"], "customer")["id"]
    if (params.get("subscription_details") or {}).get("items"):
        return None
    running = (each for each in env.store.newest("subscription", customer=customer) if _runs(each))
    found = next(running, None)
    if found is None:
        raise _nothing(customer)
    return found


def _change(
    env: StripeEnvironment, params: Record, subscription: Record | None, details: dict[str, Any]
) -> Record:
    # Without a payment, since a preview works for a customer without a card too.
    unpaid = {"payment_behavior": "default_incomplete"}
    if subscription is None:
        return subscriptions.create(
            env, {"customer": params["customer"], "items": details["items"], **unpaid}
        )
    if details.pop("cancel_now", False):
        prorate = details.get("proration_behavior") != "none"
        return subscriptions.cancel(env, {"invoice_now": True, "prorate": prorate}, subscription["id"])
    if details:
        return subscriptions.update(env, {**details, **unpaid}, subscription["id"])
    return subscription


def _made_since(env: StripeEnvironment, before: Record | None) -> Record | None:
    newest = next(env.store.newest("invoice"), None)
    return newest if newest and (before is None or newest["_seq"] > before["_seq"]) else None


def _next_invoice(env: StripeEnvironment, subscription: Record, before: Record | None) -> Record:
    """End the current period."""
    if not _runs(subscription):
        raise _nothing(subscription["customer"])
    ends = due_at({**subscription, "status": "active"})
    with env.clock.held_at(ends or env.now()):
        # `pass_time` would expire it.
        if subscription["status"] == "incomplete":
            subscribing.renew(env, subscription)
        else:
            subscribing.pass_time(env, subscription)
    invoice = _made_since(env, before)
    if invoice is None:
        raise _nothing(subscription["customer"])
    return {**invoice, "billing_reason": "upcoming", "next_payment_attempt": ends}


def _runs(subscription: Record) -> bool:
    return subscription["status"] not in ENDED


def _nothing(customer: str) -> StripeFailure:
    message = f"No upcoming invoices for customer: {customer}"
    return StripeFailure(message, status=404, code="invoice_upcoming_none")


def _as_preview(invoice: Record) -> Record:
    """Return the invoice as not created: without number, attempt and payment."""
    id = f"upcoming_{invoice['id']}"
    lines = [{**line, "invoice": id} for line in invoice["lines"]["data"]]
    attempt = invoice["next_payment_attempt"]
    return {
        **without_ours(invoice),
        "id": id,
        "amount_paid": 0,
        "amount_remaining": invoice["amount_due"],
        "attempt_count": 0,
        "attempted": False,
        "automatically_finalizes_at": None,
        "effective_at": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "lines": {**invoice["lines"], "data": lines, "url": f"/v1/invoices/{id}/lines"},
        "next_payment_attempt": attempt + GRACE if attempt else None,
        "number": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(invoice["status_transitions"]),
    }
