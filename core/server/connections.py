"""A client's connection and its deadlines."""

import socket
import time
from contextlib import suppress
from typing import Any

from core.server.buffers import BufferBudget
from core.server.incoming_request import BufferedParser, IncomingRequest
from core.server.limits import Limits
from core.server.response_socket import ResponseSocket

LINGER_SECONDS = 2.0


class Connection:
    """A connection, with the attributes that gunicorn's threads use and those of the worker's event loop."""

    # Gunicorn's threads read these. Everything has been received, and the proxy terminates TLS.
    initialized = data_ready = True
    is_http2 = False

    def __init__(
        self, cfg: Any, raw: socket.socket, client: Any, server: Any, *, limits: Limits, budget: BufferBudget
    ) -> None:
        raw.setblocking(False)
        self.raw, self.client, self.server = raw, client, server
        self.sock = ResponseSocket(raw, budget)
        self.parser = BufferedParser(cfg, client)
        self.keep_alive = True
        self.is_closed = False
        self.polled_event = 0
        self.lingered = 0
        self._limits, self._budget = limits, budget
        self.await_request(limits.head_seconds)

    def init(self) -> None:
        """Called by gunicorn's threads before a request is handled. There is nothing left to do."""

    def await_request(self, seconds: float) -> None:
        self.arriving = IncomingRequest(self.parser, self._limits, self._budget)
        self.is_idle = True
        self.is_transferring = False
        self._sent_before: int | None = None
        self._allow(seconds)

    def add(self, data: bytes) -> bool:
        """Add received bytes. Return whether the request is complete.

        Raises what IncomingRequest.add raises.
        """
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
        if self.arriving.expects_continue:
            self.arriving.request._expected_100_continue = False  # otherwise gunicorn would send it again
            if not is_complete:
                self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def begin_sending(self, *, keep_alive: bool) -> None:
        """Start sending the response. `keep_alive`: the connection may be used for another request."""
        # If the parser left bytes, it and the loop disagree about where the request ends.
        self.keep_alive = keep_alive and self.parser.unreader.is_spent
        self.parser.unreader.discard()
        self._sent_before = self.sock.sent
        self.is_transferring = True
        self._allow(self._limits.transfer_seconds)

    def begin_lingering(self) -> None:
        """Close our side for writing, and read on for a while.

        Closing at once would send a TCP reset to a client that is still sending, which could discard the
        response.
        """
        self.raw.shutdown(socket.SHUT_WR)
        self._sent_before = self.sock.sent  # restarts the byte count: large responses get no extra time
        self.is_transferring = False
        self._allow(LINGER_SECONDS)

    def is_overdue(self, now: float, *, is_stopping: bool) -> bool:
        allowed = min(self._allowed, LINGER_SECONDS) if is_stopping and self.is_idle else self._allowed
        return now > self._since + allowed + self._count_moved() / self._limits.bytes_a_second

    def is_fast_enough(self) -> bool:
        """Return whether enough bytes have moved since the last success, or since the transfer began.

        A success starts the next measurement.
        """
        now, moved = time.monotonic(), self._count_moved()
        wanted = (now - self._paced_at) * self._limits.bytes_a_second
        # Without this, no byte in no time would be a success.
        if moved == self._paced_moved or moved - self._paced_moved < wanted:
            return False
        self._reset_pace(now, moved)
        return True

    def _count_moved(self) -> int:
        """Count the bytes that show progress: of the body, or of the response."""
        if self._sent_before is not None:
            return self.sock.sent - self._sent_before
        return self.arriving.received

    def _allow(self, seconds: float) -> None:
        self._since, self._allowed = time.monotonic(), seconds
        self._reset_pace(self._since, self._count_moved())

    def _reset_pace(self, at: float, moved: int) -> None:
        self._paced_at, self._paced_moved = at, moved

    @property
    def is_half_read(self) -> bool:
        # A request has begun to arrive, and no response has been started.
        return not self.is_idle and self._sent_before is None

    def close(self, response: bytes = b"") -> None:
        """Close the socket. `response` is sent first if no response has been started."""
        self.is_closed = True
        if response and self.is_half_read:
            with suppress(OSError):
                self.raw.send(response)
        self.parser.unreader.discard()
        self.sock.discard()
        self.raw.close()
