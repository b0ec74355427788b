"""/v1/events: events, newest first."""

from fnmatch import fnmatchcase

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, Flag, Listed, Text
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record


@route("GET", "/v1/events", {**LIST, "type": Text(), "types": Listed(Text()), "delivery_success": Flag()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    """List events. `type` may end in `*`, as at Stripe; `delivery_success=false` lists undelivered ones."""
    wanted = [params["type"]] if params.get("type") else params.get("types")
    success = params.get("delivery_success")

    def keep(event: Record) -> bool:
        return (not wanted or any(fnmatchcase(event["type"], each) for each in wanted)) and (
            success in (None, event["pending_webhooks"] == 0)
        )

    exact = wanted[0] if wanted and len(wanted) == 1 and "*" not in wanted[0] else None
    return page(env.store, "event", params, "/v1/events", keep=keep, type=exact)


@route("GET", "/v1/events/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("event", id)
