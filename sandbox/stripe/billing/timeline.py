"""Passage of time: apply everything that is due, in order."""

from sandbox.stripe.billing.collection import collect
from sandbox.stripe.billing.finalization import finalizes_at
from sandbox.stripe.billing.invoicing import finalize
from sandbox.stripe.billing.meter_errors import report_gathered
from sandbox.stripe.billing.sessions import close_unpaid
from sandbox.stripe.billing.subscribing import pass_time
from sandbox.stripe.environment import NO_REQUEST, StripeEnvironment
from sandbox.stripe.store import Record


def catch_up(env: StripeEnvironment, until: int) -> int:
    """Apply everything due by `until`, each change at its own timestamp; return how many there were."""
    steps = 0
    while due := env.store.next_due(until):
        # What time causes has no request in its events, even during one.
        env.request = NO_REQUEST
        with env.clock.held_at(due["_due_at"]), env.store.transaction():
            # Cleared first, because what happens may set the next time.
            happen(env, env.store.replace(due, _due_at=None))
        steps += 1
    return steps


def advance(env: StripeEnvironment, target: int) -> int:
    """Move the clock to the target timestamp, applying everything due in between."""
    if target < env.now():
        raise ValueError("the clock never goes back; reset the sandbox instead")
    steps = catch_up(env, target)
    env.move_clock(target)
    return steps


def happen(env: StripeEnvironment, record: Record) -> None:
    if record["object"] == "subscription":
        pass_time(env, record)
        return
    if record["object"] == "checkout.session":
        close_unpaid(env, record)
        return
    if record["object"] == "sandbox.meter_errors":
        report_gathered(env, record)
        return
    # An invoice. Stripe collects it right after finalizing it.
    if record["status"] == "draft":
        at = finalizes_at(env.store, record)
        if at > env.now():
            env.store.replace(record, _due_at=at)
            return
        record = finalize(env, record)
    if record["status"] == "open" and record["collection_method"] == "charge_automatically":
        collect(env, record)
