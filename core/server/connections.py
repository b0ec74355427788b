"""A client's connection, and until when it may stay as it is."""

import socket
import time
from contextlib import suppress
from typing import Any

from core.server.limits import Limits
from core.server.outgoing import Outgoing
from core.server.requests import Arriving, StoredParser
from core.server.room import Room

LINGER_SECONDS = 2.0


class Connection:
    """What gunicorn's threads know of a connection, and what the worker's loop does."""

    # Gunicorn's threads ask for these: nothing is left to be read, and TLS is the proxy's.
    initialized = data_ready = True
    is_http2 = False

    def __init__(
        self, cfg: Any, raw: socket.socket, client: Any, server: Any, *, limits: Limits, room: Room
    ) -> None:
        raw.setblocking(False)
        self.raw, self.client, self.server = raw, client, server
        self.sock = Outgoing(raw, room)
        self.parser = StoredParser(cfg, client)
        self.stays = True
        self.is_closed = False
        self.watched = 0
        self.lingered = 0
        self._limits, self._room = limits, room
        self.await_request(limits.head_seconds)

    def init(self) -> None:
        """Nothing is left to do before a request is handled; gunicorn's threads call it."""

    def await_request(self, seconds: float) -> None:
        self.arriving = Arriving(self.parser, self._limits, self._room)
        self.is_idle = True
        self.is_transferring = False
        self._sent_before: int | None = None
        self._allow(seconds)

    def add(self, data: bytes) -> bool:
        """Whether a request is complete. Raises what Arriving.add does."""
        if self.is_idle:
            self.is_idle = False
            self._allow(self._limits.head_seconds)
        had_head = self.arriving.request is not None
        is_complete = self.arriving.add(data)
        if self.arriving.request is not None and not had_head:
            self._begin_body(is_complete)
        return is_complete

    def _begin_body(self, is_complete: bool) -> None:
        self.is_transferring = True
        self._allow(self._limits.transfer_seconds)
        if self.arriving.wants_go_ahead:
            self.arriving.request._expected_100_continue = False  # or a thread says it a second time
            if not is_complete:
                self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def begin_sending(self, *, stays: bool) -> None:
        """The request has been answered. `stays`: whether the connection is good for another."""
        self.stays = stays and self.parser.unreader.is_spent
        self.parser.unreader.discard()
        self._sent_before = self.sock.sent
        self.is_transferring = True
        self._allow(self._limits.transfer_seconds)

    def begin_lingering(self) -> None:
        """Say that nothing follows; a close at once could take the answer from a client that still sends."""
        self.raw.shutdown(socket.SHUT_WR)
        self._sent_before = self.sock.sent  # a large answer gives no more time than a small one
        self.is_transferring = False
        self._allow(LINGER_SECONDS)

    def is_late(self, now: float, *, is_stopping: bool) -> bool:
        allowed = min(self._allowed, LINGER_SECONDS) if is_stopping and self.is_idle else self._allowed
        return now > self._since + allowed + self._count_moved() / self._limits.bytes_a_second

    def keeps_pace(self) -> bool:
        """Whether enough bytes have moved since the last time that it was so, or since the transfer began."""
        now, moved = time.monotonic(), self._count_moved()
        wanted = (now - self._paced_at) * self._limits.bytes_a_second
        if moved == self._paced_moved or moved - self._paced_moved < wanted:
            return False
        self._set_pace(now, moved)
        return True

    def _count_moved(self) -> int:
        """Bytes that speak for the client: a body's, or an answer's."""
        if self._sent_before is not None:
            return self.sock.sent - self._sent_before
        return self.arriving.received

    def _allow(self, seconds: float) -> None:
        self._since, self._allowed = time.monotonic(), seconds
        self._set_pace(self._since, self._count_moved())

    def _set_pace(self, at: float, moved: int) -> None:
        self._paced_at, self._paced_moved = at, moved

    @property
    def is_half_read(self) -> bool:
        return not self.is_idle and self._sent_before is None

    def close(self, farewell: bytes = b"") -> None:
        """`farewell` goes out where it would be the whole of an answer."""
        self.is_closed = True
        if farewell and self.is_half_read:
            with suppress(OSError):
                self.raw.send(farewell)
        self.parser.unreader.discard()
        self.sock.discard()
        self.raw.close()
