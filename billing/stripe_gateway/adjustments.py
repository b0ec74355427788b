"""Cancel meter events, and credit customers' balances."""

import stripe

from billing.plans import CURRENCY, METER_EVENT_NAME

from .client import get_client, read_metadata
from .errors import is_replayed, translate_errors
from .incidents import list_invoice_incidents

# After so many stored errors in a day, a credit waits until Stripe forgets the first of its keys.
MAX_KEYS = 20


def cancel_meter_event(*, identifier: str, correction_id: str, attempt: int) -> None:
    """Cancel a meter event, which Stripe allows for 24 hours. Safe to repeat.

    Raises StripeRejected if Stripe does not cancel the event or no longer has it. An earlier attempt may have
    canceled it in either case: only the meter's summaries say so.
    Source: https://docs.stripe.com/api/billing/meter-event-adjustment
    """
    with translate_errors("cancel_meter_event"):
        try:
            get_client().v1.billing.meter_event_adjustments.create(
                {
                    "event_name": METER_EVENT_NAME,
                    "type": "cancel",
                    "cancel": {"identifier": identifier},
                },
                {"idempotency_key": f"adjustment-{correction_id}-{attempt}"},
            )
        except stripe.InvalidRequestError as error:
            # Stripe documents no error code for this, so the message is matched.
            if "already been cancel" not in str(error):
                raise


def credit_balance(
    *, stripe_customer_id: str, correction_id: str, amount_cents: int, description: str
) -> str:
    """Credit the customer's balance, which Stripe applies to the next invoice; return the transaction's id.

    `amount_cents` is in US cents, positive. Call inside `lock_stripe_customer`. Safe to repeat at any time: a
    transaction with the correction's id in its metadata is looked up first, because an idempotency key
    protects for a day only. Until Stripe has answered for certain, every attempt uses the same key: the
    request of an earlier attempt may still be running, and under another key it would credit twice. An error
    that Stripe replays is certain: that request has ended. Then the transactions are read again, and the next
    key is used. Raises StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/error-low-level#idempotency
    """
    with translate_errors("credit_balance"):
        number = 1
        while True:
            found = _find_credit(stripe_customer_id, correction_id)
            if found is not None:
                return found
            try:
                made = get_client().v1.customers.balance_transactions.create(
                    stripe_customer_id,
                    {
                        "amount": -amount_cents,  # negative: a credit, in Stripe's convention
                        "currency": CURRENCY,
                        "description": description[:350],
                        "metadata": {"correction": correction_id},
                    },
                    # Without the SDK's retries, only errors from before this call are replayed. Each call
                    # then uses one new key at most, also while Stripe answers everything with an error.
                    {"idempotency_key": f"credit-{correction_id}-{number}", "max_network_retries": 0},
                )
            except stripe.StripeError as error:
                if number == MAX_KEYS or not is_replayed(error):
                    raise
                number += 1
            else:
                return made.id


def _find_credit(stripe_customer_id: str, correction_id: str) -> str | None:
    """Return the id of the balance transaction that carries the correction's id, or None."""
    listed = get_client().v1.customers.balance_transactions.list(stripe_customer_id, {"limit": 100})
    found = (
        each.id for each in listed.auto_paging_iter() if read_metadata(each, "correction") == correction_id
    )
    return next(found, None)


def credit_subscription(*, stripe_customer_id: str, subscription_id: str) -> int:
    """Credit what a subscription's paid invoices cost; return the total in US cents.

    What was refunded, is disputed or was lost in a dispute is not credited.

    Call inside `lock_stripe_customer`. Safe to repeat: each invoice is credited once, and the total includes
    earlier credits.
    """
    with translate_errors("credit_subscription"):
        listed = get_client().v1.invoices.list(
            {"subscription": subscription_id, "status": "paid", "limit": 100}
        )
        paid = [each for each in listed.auto_paging_iter() if each.id and each.total > 0]
        costs = [
            (each, each.total - list_invoice_incidents(invoice_id=str(each.id)).returned_cents)
            for each in paid
        ]
    owed = [(invoice, cents) for invoice, cents in costs if cents > 0]
    for invoice, cents in owed:
        credit_balance(
            stripe_customer_id=stripe_customer_id,
            correction_id=f"second-{invoice.id}",
            amount_cents=cents,
            description=f"Invoice {invoice.number} of a second subscription",
        )
    return sum(cents for _, cents in owed)
