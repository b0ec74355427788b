"""/v2/core/events: the whole of a thin event, whose delivery carries only its id."""

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.params import Integer, Text
from sandbox.stripe.render import present
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record


@route("GET", "/v2/core/events", {"object_id": Text(), "limit": Integer(1, 100)})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    """List the newest, of one object if given; one page."""
    wanted = params.get("object_id")
    found = [
        present(env.store, event)
        for event in env.store.newest("v2.core.event")
        if wanted in (None, event["related_object"]["id"])
    ]
    return {"data": found[: params.get("limit", 20)], "next_page_url": None, "previous_page_url": None}


@route("GET", "/v2/core/events/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("v2.core.event", id)
