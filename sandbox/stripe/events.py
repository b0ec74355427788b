"""Events: one Event per change, and one delivery for each subscribed endpoint."""

from typing import Any

from sandbox.stripe.clock import iso
from sandbox.stripe.ids import new_id
from sandbox.stripe.render import present, presents, without_ours
from sandbox.stripe.store import Record, Store

THIN = "v2.core.event"


def previous_attributes(old: Record, new: Record) -> Record:
    """Return the previous values of changed fields, nested as Stripe nests them."""
    changed: Record = {}
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        # Of a list, Stripe gives the whole previous value.
        if isinstance(before, dict) and isinstance(after, dict) and after.get("object") != "list":
            changed[name] = previous_attributes(before, after)
        else:
            changed[name] = before
    return changed


def announce(
    store: Store,
    type: str,
    view: Record,
    *,
    previous: Record | None,
    created: int,
    request: Record,
    api_version: str,
) -> Record:
    """Store the Event with the object's present state, and its deliveries."""
    data: Record = {"object": view}
    if previous is not None:
        data["previous_attributes"] = previous
    # Only the endpoints of now: one created later does not get earlier events.
    endpoints = [each for each in store.oldest("webhook_endpoint") if _listens(each, type)]
    event = store.insert(
        {
            "id": new_id("evt"),
            "object": "event",
            "api_version": api_version,
            "created": created,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": request,
            "type": type,
            "_data": data,
            "_subject": view.get("id"),
        }
    )
    for endpoint in endpoints:
        store.insert(delivery(event, endpoint, created))
    return event


def announce_thin(store: Store, type: str, related: Record, data: Record, *, created: int) -> Record:
    """Store a thin event. Its deliveries carry only its id; receivers fetch the rest.

    It is delivered to the endpoints that name its type; `*` stands for snapshot events only, as at Stripe.
    """
    event = store.insert(
        {
            "id": new_id("evt_test", 40),
            "object": THIN,
            "context": None,
            "created": created,
            "livemode": False,
            "reason": None,
            "related_object": related,
            "type": type,
            "_data": data,
            "_subject": related["id"],
        }
    )
    for endpoint in store.oldest("webhook_endpoint"):
        if endpoint["status"] == "enabled" and type in endpoint["enabled_events"]:
            store.insert(delivery(event, endpoint, created))
    return event


def payload(store: Store, event: Record) -> Record:
    """Return the body of a delivery."""
    view = present(store, event)
    if event["object"] == THIN:
        view.pop("data")
    return view


def delivery(event: Record, endpoint: Record, created: int) -> Record:
    """Build the delivery of one event to one endpoint, not yet attempted."""
    return {
        "id": new_id("whd"),
        "object": "sandbox.delivery",
        "created": created,
        "event": event["id"],
        "type": event["type"],
        "subject": event["_subject"],
        "endpoint": endpoint["id"],
        "status": "pending",
        "attempts": 0,
        "answers": [],
        "answered_at": None,
        "response_code": None,
        "error": None,
        "duplicate_of": None,
    }


def _listens(endpoint: Record, type: str) -> bool:
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or type in wanted)


@presents(THIN)
def present_thin(store: Store, record: Record) -> dict[str, Any]:
    return {**without_ours(record), "created": iso(record["created"]), "data": record["_data"]}


@presents("event")
def present_event(store: Store, record: Record) -> dict[str, Any]:
    return {**without_ours(record), "data": record["_data"]}
