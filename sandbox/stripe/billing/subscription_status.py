"""A subscription's status, as its paid and unpaid invoices determine it, and its end."""

from sandbox.stripe.clock import HOUR
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.store import Record

ENDED = ("canceled", "incomplete_expired")


def period(subscription: Record) -> tuple[int, int]:
    """Return the current period, which all items share in the sandbox."""
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def due_at(subscription: Record) -> int | None:
    """Return when time next changes the subscription."""
    status = subscription["status"]
    if status in ENDED:
        return None
    if status == "incomplete":
        # Stripe's time for the first payment.
        return int(subscription["created"]) + 23 * HOUR
    end = period(subscription)[1]
    return min(end, subscription["cancel_at"] or end)


def stand(env: StripeEnvironment, subscription: Record, status: str) -> Record:
    """Set the subscription's status, and emit an event if it has changed."""
    current = env.require("subscription", subscription["id"])
    due = due_at({**current, "status": status})
    return env.change(current, "customer.subscription.updated", status=status, _due_at=due)


def after_payment(env: StripeEnvironment, invoice: Record) -> None:
    """Activate an incomplete subscription, or recover a past-due one if its latest invoice was paid."""
    settled(env, invoice)
    _delinquent(env, invoice["customer"], False)


def settled(env: StripeEnvironment, invoice: Record) -> None:
    """Update the subscription of an invoice that was paid, voided or marked uncollectible.

    Stripe considers the latest invoice that is not a draft; older ones may still be open.
    """
    subscription = env.store.get("subscription", invoice["_subscription"])
    if subscription is None or subscription["status"] not in ("incomplete", "past_due"):
        return
    if subscription["status"] == "incomplete" and invoice["status"] != "paid":
        stand(env, subscription, "incomplete_expired")
        return
    invoices = env.store.newest("invoice", subscription=subscription["id"])
    latest = next((each for each in invoices if each["status"] != "draft"), invoice)
    if latest["status"] != "open":
        stand(env, subscription, "active")


def after_failure(env: StripeEnvironment, invoice: Record) -> None:
    """Mark a running subscription as past due; one that never started stays incomplete."""
    subscription = env.store.get("subscription", invoice["_subscription"])
    if subscription and subscription["status"] in ("active", "trialing"):
        stand(env, subscription, "past_due")
    # One that never started does not make its customer delinquent.
    if subscription and subscription["status"] != "incomplete":
        _delinquent(env, invoice["customer"], True)


def end(env: StripeEnvironment, subscription: Record, *, reason: str) -> Record:
    """End the subscription now; its open invoices are no longer collected automatically."""
    current = env.require("subscription", subscription["id"])
    now = env.now()
    # Without an `updated` event: Stripe sends `deleted` instead, below.
    ended = env.change(
        current,
        status="canceled",
        canceled_at=current["canceled_at"] or now,
        ended_at=now,
        cancellation_details={**current["cancellation_details"], "reason": reason},
        _due_at=None,
    )
    for invoice in list(env.store.newest("invoice", subscription=ended["id"])):
        if invoice["status"] == "open":
            env.change(
                invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None, _due_at=None
            )
    env.emit("customer.subscription.deleted", ended)
    return ended


def _delinquent(env: StripeEnvironment, customer: str, value: bool) -> None:
    record = env.store.get("customer", customer)
    if record and not record.get("deleted"):
        env.change(record, "customer.updated", delinquent=value)
