"""The customer's balance: credit (negative) or debt (positive), applied to the next final invoice."""

from typing import Any

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.ids import new_id
from sandbox.stripe.store import Record

# A smaller total, in cents or pence, is not collected, but added to the balance as debt.
SMALLEST_CHARGE = {"usd": 50, "eur": 50, "gbp": 30}


def move(
    env: StripeEnvironment, customer: str, amount: int, type: str, currency: str, **fields: Any
) -> Record:
    """Record a balance transaction of some cents and change the balance by it; emits an event."""
    record = env.require("customer", customer)
    ending = record["balance"] + amount
    # The first money of a customer fixes the currency.
    own = record["currency"] or currency
    env.change(record, "customer.updated", balance=ending, currency=own)
    return env.add(
        "customer_balance_transaction",
        new_id("cbtxn"),
        amount=amount,
        checkout_session=None,
        credit_note=None,
        currency=currency,
        customer=customer,
        customer_account=None,
        description=fields.get("description"),
        ending_balance=ending,
        invoice=fields.get("invoice"),
        metadata=fields.get("metadata") or {},
        type=type,
    )


def owed(total: int, balance: int) -> dict[str, int]:
    """Return what remains to be paid of a total after the balance. Unused credit stays on the balance."""
    due = max(0, total + balance)
    return {"starting_balance": balance, "amount_due": due, "amount_remaining": due}


def settle(env: StripeEnvironment, invoice: Record) -> dict[str, int]:
    """Apply the balance to an invoice that is being finalized; return its changed fields.

    A negative total becomes credit. A total too small to charge becomes debt, and nothing is due.
    """
    customer = env.require("customer", invoice["customer"])
    total, starting, currency = invoice["total"], customer["balance"], invoice["currency"]
    fields = owed(total, starting)
    ending = min(0, total + starting)
    if ending != starting:
        move(
            env,
            customer["id"],
            ending - starting,
            "applied_to_invoice",
            currency,
            invoice=invoice["id"],
        )
    due = fields["amount_due"]
    if 0 < due < SMALLEST_CHARGE[currency]:
        move(env, customer["id"], due, "invoice_too_small", currency, invoice=invoice["id"])
        fields |= {"amount_due": 0, "amount_remaining": 0}
        ending = due
    return {**fields, "ending_balance": ending}


def give_back(env: StripeEnvironment, invoice: Record) -> None:
    """Reverse on the balance what a voided invoice took from it or added to it."""
    took = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if took:
        customer, currency = invoice["customer"], invoice["currency"]
        move(env, customer, -took, "unapplied_from_invoice", currency, invoice=invoice["id"])
