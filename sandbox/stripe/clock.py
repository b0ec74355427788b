"""The sandbox's time: real time plus an offset that tests may change."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60, 3600, 86400


def iso(timestamp: int) -> str:
    """Format a time as v2 objects do."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


class Clock:
    """Whole seconds since 1970. Never moves backward, except by a reset."""

    def __init__(self) -> None:
        self.offset = 0
        self._held: int | None = None

    def now(self) -> int:
        return self._held if self._held is not None else int(time.time()) + self.offset

    def move_to(self, timestamp: int) -> None:
        self.offset = timestamp - int(time.time())

    @contextmanager
    def held_at(self, timestamp: int) -> Iterator[None]:
        """Stop the clock at the timestamp, so that changes inside the block carry its date."""
        before, self._held = self._held, timestamp
        try:
            yield
        finally:
            self._held = before
