"""One sandbox: its store, clock, faults and what every resource needs."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.stripe import API_VERSION, events
from sandbox.stripe.clock import DAY, Clock
from sandbox.stripe.errors import missing_object
from sandbox.stripe.faults import FaultRules
from sandbox.stripe.render import present
from sandbox.stripe.store import Record, Store

NO_REQUEST = {"id": None, "idempotency_key": None}


class StripeEnvironment:
    """State shared by all requests. Callers hold `store.lock`.

    `identifier_seconds` is the age at which a meter event's identifier is forgotten, and may be used again.
    """

    def __init__(self, state: str | None = None, *, identifier_seconds: int = DAY) -> None:
        self.identifier_seconds = self._first_identifier_seconds = identifier_seconds
        self.store = Store(state)
        self.clock = Clock()
        self.faults = FaultRules()
        self.requests: deque[dict[str, Any]] = deque(maxlen=5000)
        self.request: dict[str, Any] = NO_REQUEST
        self.url = ""
        self._events_off = False
        self._restore_clock()

    def now(self) -> int:
        return self.clock.now()

    def add(self, kind: str, id: str | None = None, *, event: str | None = None, **fields: Any) -> Record:
        """Store a new object, and emit an event if one is named."""
        record = self.store.insert(
            {"id": id, "object": kind, "created": self.now(), "livemode": False, **fields}
        )
        if event:
            self.emit(event, record)
        return record

    def change(self, record: Record, event: str | None = None, **changes: Any) -> Record:
        """Store the changed record, and emit the event if something visible has changed."""
        loud = event is not None and not self._events_off
        # Rendered only to compare: `bulk.seed` makes thousands of changes without events.
        old = present(self.store, record) if loud else {}
        record = self.store.replace(record, **changes)
        if event and loud:
            previous = events.previous_attributes(old, present(self.store, record))
            if previous:
                self.emit(event, record, previous)
        return record

    @contextmanager
    def without_events(self) -> Iterator[None]:
        """Suppress events inside the block."""
        self._events_off = True
        try:
            yield
        finally:
            self._events_off = False

    def emit(self, type: str, record: Record, previous: Record | None = None) -> None:
        if self._events_off:
            return
        events.announce(
            self.store,
            type,
            present(self.store, record),
            previous=previous,
            created=self.now(),
            request=self.request,
            api_version=API_VERSION,
        )

    def emit_thin(self, type: str, related: Record, data: Record) -> Record:
        return events.announce_thin(self.store, type, related, data, created=self.now())

    def require(self, kind: str, id: str | None, param: str = "id") -> Record:
        """Return the record, or raise Stripe's error. Deleted ones count as missing."""
        record = self.store.get(kind, id or "")
        if record is None or record.get("deleted"):
            raise missing_object(kind.rsplit(".")[-1], id or "", param)
        return record

    def move_clock(self, timestamp: int) -> None:
        """Set the time, and persist it across restarts."""
        self.clock.move_to(timestamp)
        record = self.store.find("sandbox_clock")
        if record:
            self.store.replace(record, offset=self.clock.offset)
        else:
            self.store.insert({"id": "sandbox_clock", "object": "sandbox.clock", "offset": self.clock.offset})

    def reset(self, to: list[Record] | None = None) -> None:
        """Delete everything (objects, events, faults, settings, time); restore a snapshot if one is given."""
        self.store.restore(to or [])
        self._restore_clock()
        self.faults.clear()
        self.requests.clear()
        self.identifier_seconds = self._first_identifier_seconds

    def _restore_clock(self) -> None:
        record = self.store.find("sandbox_clock")
        self.clock.offset = record["offset"] if record else 0
