"""A row to claim: an InboxEvent, the outbox table with the fewest required columns."""

from typing import Any

from billing.models import InboxEvent
from core.outbox import leases


def make_row(name: str = "evt_1", **fields: Any) -> InboxEvent:
    return InboxEvent.objects.create(event_id=name, event_type="a", payload="{}", **fields)


def claim(name: str = "evt_1") -> InboxEvent | None:
    return leases.claim(InboxEvent.objects.all(), pk=name)


def take(name: str = "evt_1") -> InboxEvent:
    """Claim a row that can be claimed."""
    row = claim(name)
    assert row is not None
    return row


def read(name: str = "evt_1") -> InboxEvent:
    return InboxEvent.objects.get(pk=name)
