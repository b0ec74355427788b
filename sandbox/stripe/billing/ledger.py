"""Balance transactions of the Stripe account: every movement of money, with its fee."""

from sandbox.stripe.clock import DAY
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.ids import new_id
from sandbox.stripe.store import Record

DISPUTE_FEE = 1500
CATEGORIES = {"adjustment": "dispute", "refund": "refund", "charge": "charge"}


def card_fee(amount: int) -> int:
    """2.9 % and 30 cents."""
    return (amount * 29 + 500) // 1000 + 30


def book(
    env: StripeEnvironment,
    *,
    type: str,
    source: str,
    amount: int,
    currency: str,
    fee: int,
    text: str,
    category: str = "",
) -> Record:
    """Record a movement in cents: positive is incoming, negative outgoing."""
    fees = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Dispute fee" if type == "adjustment" else "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return env.add(
        "balance_transaction",
        new_id("txn"),
        amount=amount,
        available_on=env.now() + 2 * DAY,
        balance_type="payments",
        currency=currency,
        description=text,
        exchange_rate=None,
        fee=fee,
        fee_details=fees if fee else [],
        net=amount - fee,
        reporting_category=category or CATEGORIES[type],
        source=source,
        status="pending",
        type=type,
    )
