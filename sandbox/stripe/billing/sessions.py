"""Checkout sessions that nobody finishes."""

from sandbox.stripe.store import Record
from sandbox.stripe.world import World


def close_unpaid(world: World, session: Record) -> Record:
    """Nobody paid in time."""
    expired = world.change(session, status="expired", url=None, _due_at=None)
    world.emit("checkout.session.expired", expired)
    return expired
