"""When a draft finalizes itself: an hour after `invoice.created` was answered, else 72 hours after it.

Source: https://docs.stripe.com/invoicing/integration/workflow-transitions
"""

from sandbox.stripe.clock import HOUR
from sandbox.stripe.store import Record, Store

GRACE = HOUR
LONGEST = 72 * HOUR
CREATED = "invoice.created"


def finalizes_at(store: Store, invoice: Record) -> int:
    """Return when a draft is finalized, by the answers of the endpoints that listen to `invoice.created`."""
    latest = int(invoice["created"]) + LONGEST
    answers = [_answered_at(each) for each in _list_deliveries(store, invoice)]
    if any(answer is None for answer in answers):
        return latest
    last = max((answer for answer in answers if answer is not None), default=int(invoice["created"]))
    return min(last + GRACE, latest)


def reschedule(store: Store, delivery: Record) -> None:
    """Let the answer to `invoice.created` finalize its draft an hour later."""
    invoice = store.get("invoice", delivery["subject"]) if delivery["type"] == CREATED else None
    if invoice and invoice["status"] == "draft" and invoice.get("_due_at") is not None:
        store.replace(invoice, _due_at=finalizes_at(store, invoice))


def _list_deliveries(store: Store, invoice: Record) -> list[Record]:
    events = [each for each in store.oldest("event", subject=invoice["id"]) if each["type"] == CREATED]
    deliveries = [each for event in events for each in store.oldest("sandbox.delivery", event=event["id"])]
    return [each for each in deliveries if not each["duplicate_of"] and _is_listening(store, each)]


def _is_listening(store: Store, delivery: Record) -> bool:
    endpoint = store.get("webhook_endpoint", delivery["endpoint"])
    return bool(endpoint and not endpoint.get("deleted") and endpoint["status"] == "enabled")


def _answered_at(delivery: Record) -> int | None:
    if delivery["status"] == "delivered":
        return int(delivery["answered_at"])
    # Not attempted yet, because the clock was moved meanwhile: it would have been answered at once.
    is_untried = delivery["status"] == "pending" and not delivery["attempts"]
    return int(delivery["created"]) if is_untried else None
