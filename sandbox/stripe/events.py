"""Announcements: an Event for what happened, and one delivery for each endpoint that listens."""

import json
from typing import Any

from sandbox.stripe.ids import new_id
from sandbox.stripe.render import presents, without_ours
from sandbox.stripe.store import Record, Store


def previous_attributes(old: Record, new: Record) -> Record:
    """The former values of what changed, nested as Stripe nests them."""
    changed: Record = {}
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
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
    """File the Event, with the object as it is now, and what has to be delivered."""
    data: Record = {"object": view}
    if previous is not None:
        data["previous_attributes"] = previous
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
            "_data": json.dumps(data, separators=(",", ":")),
            "_subject": view.get("id"),
        }
    )
    for endpoint in endpoints:
        store.insert(delivery(event, endpoint, created))
    return event


def delivery(event: Record, endpoint: Record, created: int) -> Record:
    """One event on its way to one endpoint, not yet attempted."""
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
        "response_code": None,
        "error": None,
        "duplicate_of": None,
    }


def _listens(endpoint: Record, type: str) -> bool:
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or type in wanted)


@presents("event")
def present_event(store: Store, record: Record) -> dict[str, Any]:
    return {**without_ours(record), "data": json.loads(record["_data"])}
