"""What a meter counted for a customer in a span of time."""

from collections.abc import Iterable, Iterator

from sandbox.stripe.clock import MINUTE
from sandbox.stripe.store import Record, Store


def series(meter: Record, customer: str) -> str:
    """Return the index key of a meter's events for one customer."""
    return f"{meter['id']}/{customer}"


def used(store: Store, meter: Record, customer: str, start: int, end: int) -> int:
    """Apply the meter's formula to the events with `start <= timestamp < end`; may be negative."""
    return _counted(meter, _between(store, series(meter, customer), start, end))


def used_by_window(
    store: Store, meter: Record, customer: str, start: int, end: int, window: int
) -> dict[int, int]:
    """Apply the formula to each window of some seconds, by its start; only windows with events."""
    found: dict[int, list[Record]] = {}
    for event in _between(store, series(meter, customer), start, end):
        opening = event["timestamp"] - (event["timestamp"] - start) % window
        found.setdefault(opening, []).append(event)
    return {opening: _counted(meter, events) for opening, events in found.items()}


def _counted(meter: Record, events: Iterable[Record]) -> int:
    match meter["default_aggregation"]["formula"]:
        case "count":
            return sum(1 for _ in events)
        case "last":
            latest = max(events, key=lambda event: (event["timestamp"], event["_seq"]), default=None)
            return int(latest["_value"]) if latest else 0
        case _:
            return sum(event["_value"] for event in events)


def _between(store: Store, name: str, start: int, end: int) -> Iterator[Record]:
    for event in store.newest("billing.meter_event", series=name):
        if event["created"] + 5 * MINUTE < start:
            return  # Timestamps are at most five minutes in the future: older events are not in the span.
        if start <= event["timestamp"] < end and not event["_cancelled"] and not event["_rejected"]:
            yield event
