"""Checkout sessions that expire unfinished."""

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.store import Record


def close_unpaid(env: StripeEnvironment, session: Record) -> Record:
    """Expire a session that was not paid in time."""
    expired = env.change(session, status="expired", url=None, _due_at=None)
    env.emit("checkout.session.expired", expired)
    return expired
