"""Time passing: everything that falls due, in the order in which it does."""

from sandbox.stripe.billing.collection import collect
from sandbox.stripe.billing.invoicing import finalize
from sandbox.stripe.billing.meter_errors import report_gathered
from sandbox.stripe.billing.sessions import close_unpaid
from sandbox.stripe.billing.subscribing import pass_time
from sandbox.stripe.store import Record
from sandbox.stripe.world import NO_REQUEST, World


def catch_up(world: World, until: int) -> int:
    """Let everything due by `until` happen, each thing dated at its own instant; how many happened."""
    steps = 0
    while due := world.store.next_due(until):
        world.request = NO_REQUEST
        with world.clock.held_at(due["_due_at"]), world.store.transaction():
            happen(world, world.store.replace(due, _due_at=None))
        steps += 1
    return steps


def advance(world: World, target: int) -> int:
    """Move the clock to the target instant by way of everything in between."""
    if target < world.now():
        raise ValueError("the clock never goes back; reset the sandbox instead")
    steps = catch_up(world, target)
    world.move_clock(target)
    return steps


def happen(world: World, record: Record) -> None:
    if record["object"] == "subscription":
        pass_time(world, record)
        return
    if record["object"] == "checkout.session":
        close_unpaid(world, record)
        return
    if record["object"] == "sandbox.meter_errors":
        report_gathered(world, record)
        return
    if record["status"] == "draft":
        record = finalize(world, record)
    if record["status"] == "open" and record["collection_method"] == "charge_automatically":
        collect(world, record)
