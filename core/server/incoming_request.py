"""A request that is buffered as it arrives and then parsed by gunicorn."""

import re
from contextlib import suppress
from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import Unreader

from core.server.buffers import Buffer, BufferBudget
from core.server.framing import BodyEnd, ChunkedBody, FixedLengthBody
from core.server.limits import Limits

BARE_NEWLINE = re.compile(rb"(?<!\r)\n")
END_OF_HEAD = b"\r\n\r\n"
# Sizes with which gunicorn reads a socket: small to find a line's end, large for a known length.
LINE_BYTES, BODY_BYTES = 8192, 1024 * 1024


class BufferedUnreader(Unreader):
    """Gives gunicorn's parser the buffered bytes of one request, and nothing of the next."""

    def __init__(self) -> None:
        super().__init__()
        self.head = b""
        self.store: Buffer | None = None

    @property
    def is_spent(self) -> bool:
        return not (self.head or self.buf.getvalue() or (self.store and len(self.store)))

    def chunk(self, size_hint: int | None = None) -> bytes:
        if self.head:
            head, self.head = self.head, b""
            return head
        size = min(max(size_hint or 0, LINE_BYTES), BODY_BYTES)
        return self.store.read(size) if self.store is not None else b""

    def discard(self) -> None:
        if self.store is not None:
            self.store.close()
        self.head, self.store = b"", None


class BufferedParser(RequestParser):
    """Gunicorn's parser of a connection's requests, reading from the buffer instead of the socket."""

    def __init__(self, cfg: Any, client: Any) -> None:
        super().__init__(cfg, (), client)
        self.unreader = BufferedUnreader()
        self._parsed: Any = None

    def parse_head(self, head: bytes) -> Any:
        """Parse a request's head. Raises gunicorn's errors if it is malformed."""
        self.unreader.head = head
        self._parsed = super().__next__()
        return self._parsed

    def __next__(self) -> Any:
        """Return the parsed request once, to the thread that handles it."""
        parsed, self._parsed = self._parsed, None
        if parsed is None:
            raise StopIteration
        return parsed

    def finish_body(self, deadline: float | None = None, max_bytes: int | None = None) -> bool:
        """Return whether the connection can be used for another request.

        The application may have responded without reading the body. If that body is malformed, no second
        response is sent.
        """
        try:
            return bool(super().finish_body(deadline, max_bytes))
        except (ParseException, NoMoreData):
            return False


class IncomingRequest:
    """One request, from its first byte until it is buffered completely. `surplus` belongs to the next one."""

    def __init__(self, parser: BufferedParser, limits: Limits, budget: BufferBudget) -> None:
        self.surplus = b""
        self.received = 0
        self.request: Any = None
        self._parser, self._limits, self._budget = parser, limits, budget
        self._head = bytearray()
        self._ending: BodyEnd | None = None

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body."""
        return bool(self.request and self.request._expected_100_continue)

    def add(self, data: bytes) -> bool:
        """Add received bytes. Return whether the request is complete.

        Raises gunicorn's errors, and TooManyChunks.
        """
        if self._ending is None:
            known = len(self._head)
            self._head += data
            # The end may have begun in the bytes received before. Searching all of them would be quadratic.
            if not self._find_end_of_head(max(0, known - len(END_OF_HEAD) + 1)):
                return False
            data, self.surplus = self.surplus, b""
        return self._add_body(data)

    def _find_end_of_head(self, start: int) -> bool:
        found = self._head.find(END_OF_HEAD, start)
        if found >= 0:
            end = found + len(END_OF_HEAD)
            self.surplus = bytes(self._head[end:])
            self._parse(bytes(self._head[:end]))
        # After a bare newline the head is malformed, whatever follows.
        elif len(self._head) > self._limits.head_bytes or BARE_NEWLINE.search(self._head, start):
            self._reject_head()
        return found >= 0

    def _parse(self, head: bytes) -> None:
        self.request = self._parser.parse_head(head)
        reader = self.request.body.reader
        is_chunked = isinstance(reader, ChunkedReader)
        self._ending = ChunkedBody(self._limits.chunks) if is_chunked else FixedLengthBody(reader.length)
        self._head.clear()

    def _reject_head(self) -> None:
        """Raise gunicorn's error for this head, or LimitRequestHeaders if it is only too long."""
        with suppress(NoMoreData):
            self._parser.parse_head(bytes(self._head))
        raise LimitRequestHeaders("request head too large")

    def _add_body(self, data: bytes) -> bool:
        assert self._ending is not None
        taken = self._ending.take(memoryview(data))
        self.surplus = data[taken:]
        if taken:
            self._store(data[:taken])
        return self._ending.is_found or self._is_too_large()

    def _store(self, data: bytes) -> None:
        unreader = self._parser.unreader
        unreader.store = unreader.store or Buffer(self._budget)
        unreader.store.write(data)
        self.received += len(data)

    def _is_too_large(self) -> bool:
        """Return whether the body exceeds the limit, and close the connection after the response then.

        The application gets slightly more than it accepts, so that it is the one to respond with 413.
        """
        is_too_large = self.received > self._limits.body_bytes
        if is_too_large:
            self.request.force_close()
        return is_too_large
