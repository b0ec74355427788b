"""The lifecycle of a subscription: first period, renewals, changed items, cancellation."""

from typing import Any

from sandbox.stripe.billing import balance
from sandbox.stripe.billing.amounts import parts, share
from sandbox.stripe.billing.collection import collect, default_method
from sandbox.stripe.billing.invoicing import REMAINING, UNUSED, draft, finalize, flat, metered
from sandbox.stripe.billing.periods import end_of_period
from sandbox.stripe.billing.subscription_status import due_at, end, period, stand
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.store import Record


def is_metered(env: StripeEnvironment, item: Record) -> bool:
    price = env.require("price", item["price"])
    return bool(price["recurring"]["usage_type"] == "metered")


def with_period(items: Record, start: int, end: int) -> Record:
    """Return the items list with every item in the given period."""
    data = [{**item, "current_period_start": start, "current_period_end": end} for item in items["data"]]
    return {**items, "data": data}


def advance_charges(
    env: StripeEnvironment, items: Record, start: int, end: int, *, free: bool = False
) -> list[Record]:
    """Build the charges in advance for a period: licensed items, except in a trial."""
    amount, text = (0, "Trial period") if free else (None, None)
    return [flat(item, start, end, amount, text) for item in items["data"] if not is_metered(env, item)]


def arrears_charges(env: StripeEnvironment, subscription: Record, until: int) -> list[Record]:
    """Build the charges in arrears for a period: metered items, and pending items of earlier changes.

    Usage in a trial is free.
    """
    if subscription["status"] == "trialing":
        return list(subscription["_pending"])
    start = period(subscription)[0]
    # An item added within the period counts from then on, not from the period's start.
    starts = subscription["_usage_from"]
    used = [
        metered(item, max(start, starts.get(item["id"], start)), until)
        for item in subscription["items"]["data"]
        if is_metered(env, item)
    ]
    return [*subscription["_pending"], *used]


def begin(env: StripeEnvironment, subscription: Record, payment_behavior: str) -> Record:
    """Start the first period of a new subscription: invoice what is due at once and collect it."""
    start, end_at = period(subscription)
    trial = subscription["status"] == "trialing"
    charges = advance_charges(env, subscription["items"], start, end_at, free=trial)
    env.emit("customer.subscription.created", subscription)
    if not charges:
        return stand(env, subscription, subscription["status"] if trial else "active")
    # The first invoice is of the moment: its period has no length.
    invoice = draft(env, subscription, charges, reason="subscription_create", start=start, end=start)
    invoice = finalize(env, invoice)
    if subscription["collection_method"] == "send_invoice":
        return stand(env, subscription, "active")
    if not invoice["amount_due"]:
        collect(env, invoice)
        return stand(env, subscription, "trialing" if trial else "active")
    if payment_behavior != "default_incomplete":
        _collect_now(env, invoice, payment_behavior)
    return env.require("subscription", subscription["id"])


def _collect_now(env: StripeEnvironment, invoice: Record, payment_behavior: str) -> Record:
    if default_method(env, invoice) is None:
        message = (
            "This customer has no attached payment source or default payment method. Please consider adding "
            "a default payment method. For more information, visit https://stripe.com/docs/billing/"
            "subscriptions/payment-methods-setting#payment-method-priority."
        )
        raise StripeFailure(message, code="resource_missing")
    invoice = collect(env, invoice)
    if invoice["status"] != "paid" and payment_behavior == "error_if_incomplete":
        error = invoice["_last_error"]
        raise StripeFailure(**error)
    return invoice


def pass_time(env: StripeEnvironment, subscription: Record) -> None:
    """Apply what is due for a subscription at its `due_at`."""
    if subscription["status"] == "incomplete":
        _expire(env, subscription)
    elif _is_last(subscription, env.now()):
        finish(env, subscription, reason="cancellation_requested", invoice=True)
    else:
        renew(env, subscription)


def _is_last(subscription: Record, now: int) -> bool:
    at = subscription["cancel_at"]
    return bool(
        (at and at <= now) or (subscription["cancel_at_period_end"] and period(subscription)[1] <= now)
    )


def renew(env: StripeEnvironment, subscription: Record) -> Record:
    """Close the period into a draft invoice, and start the next one."""
    start, end_at = period(subscription)
    return turn_over(env, subscription, end_at, period_start=start, reason="subscription_cycle")


def turn_over(
    env: StripeEnvironment, subscription: Record, at: int, *, period_start: int, reason: str
) -> Record:
    """Start a new period at `at`; the charges of the old and the new one go on one draft."""
    recurring = env.require("price", subscription["items"]["data"][0]["price"])["recurring"]
    ends = end_of_period(subscription["billing_cycle_anchor"], recurring, at)
    charges = [
        *arrears_charges(env, subscription, at),
        *advance_charges(env, subscription["items"], at, ends),
    ]
    changes: dict[str, Any] = {
        "items": with_period(subscription["items"], at, ends),
        "_pending": [],
        "_usage_from": {},
    }
    if subscription["cancel_at_period_end"]:
        # It follows the period, which a `cancel_at` that was set without the flag does not.
        changes["cancel_at"] = ends
    if subscription["status"] == "trialing":
        changes["status"] = "active"
    invoice = (
        draft(env, subscription, charges, reason=reason, start=period_start, end=at) if charges else None
    )
    if invoice:
        changes["latest_invoice"] = invoice["id"]
    due = due_at({**subscription, **changes})
    return env.change(subscription, "customer.subscription.updated", **changes, _due_at=due)


def restart_cycle(env: StripeEnvironment, subscription: Record, payment_behavior: str | None) -> Record:
    """Start a new period now; invoice the old one's usage and the new one's flat prices at once."""
    now = env.now()
    start = period(subscription)[0]
    before = subscription["latest_invoice"]
    subscription = env.store.replace(
        subscription, billing_cycle_anchor=now, trial_end=now if subscription["trial_end"] else None
    )
    subscription = turn_over(env, subscription, now, period_start=start, reason="subscription_update")
    # Nothing was to be charged, so there is no invoice.
    if subscription["latest_invoice"] == before:
        return subscription
    invoice = env.require("invoice", subscription["latest_invoice"])
    return settle_now(env, invoice, payment_behavior or "allow_incomplete")


def finish(env: StripeEnvironment, subscription: Record, *, reason: str, invoice: bool) -> Record:
    """End the subscription now; with `invoice`, unbilled usage goes on a final invoice."""
    charges = arrears_charges(env, subscription, env.now()) if invoice else []
    if charges:
        start = period(subscription)[0]
        draft(env, subscription, charges, reason="subscription_cycle", start=start, end=env.now())
    return end(env, subscription, reason=reason)


def _expire(env: StripeEnvironment, subscription: Record) -> None:
    for invoice in list(env.store.newest("invoice", subscription=subscription["id"])):
        if invoice["status"] == "open":
            transitions = {**invoice["status_transitions"], "voided_at": env.now()}
            env.change(invoice, status="void", status_transitions=transitions, _due_at=None)
            env.emit("invoice.voided", env.require("invoice", invoice["id"]))
            balance.give_back(env, invoice)
    stand(env, subscription, "incomplete_expired")


def leave_item(
    env: StripeEnvironment, subscription: Record, item: Record, *, prorate: bool, at: int | None = None
) -> list[Record]:
    """Build the charges of a removed item: its usage so far, or a credit for its unused time."""
    start, ends = period(subscription)
    now = env.now()
    if is_metered(env, item):
        return [metered(item, max(start, subscription["_usage_from"].get(item["id"], start)), now)]
    if not prorate:
        return []
    since = now if at is None else at
    credit = share(_full(env, item), ends - since, ends - start)
    return [flat(item, since, ends, -credit, UNUSED)] if credit else []


def join_item(
    env: StripeEnvironment, subscription: Record, item: Record, *, prorate: bool, at: int | None = None
) -> list[Record]:
    """Build the charge of a new licensed item for the rest of the period."""
    if is_metered(env, item) or not prorate:
        return []
    start, ends = period(subscription)
    since = env.now() if at is None else at
    amount = share(_full(env, item), ends - since, ends - start)
    return [flat(item, since, ends, amount, REMAINING)] if amount else []


def invoice_pending(env: StripeEnvironment, subscription: Record, payment_behavior: str) -> Record:
    """Put the pending charges of changes on their own invoice, and collect it at once."""
    if not subscription["_pending"]:
        return subscription
    start = period(subscription)[0]
    charges = subscription["_pending"]
    subscription = env.store.replace(subscription, _pending=[])
    invoice = draft(env, subscription, charges, reason="subscription_update", start=start, end=env.now())
    return settle_now(env, invoice, payment_behavior)


def settle_now(env: StripeEnvironment, invoice: Record, payment_behavior: str) -> Record:
    """Finalize a draft without its grace period, and collect it; return the subscription afterwards."""
    invoice = finalize(env, invoice)
    if invoice["collection_method"] == "charge_automatically":
        if not invoice["amount_due"]:
            collect(env, invoice)
        elif payment_behavior != "default_incomplete":
            _collect_now(env, invoice, payment_behavior)
    return env.require("subscription", invoice["_subscription"])


def _full(env: StripeEnvironment, item: Record) -> int:
    price = env.require("price", item["price"])
    return sum(part.amount for part in parts(price, item["quantity"]))
