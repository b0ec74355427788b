"""Find where a request's body ends. Gunicorn's parser still decides whether it is well formed.

A malformed body ends at once: the parser then sees too little, rejects it, and the connection closes. So a
mistake here cannot make two servers see different requests (request smuggling).
"""

import re
from typing import Protocol

# Gunicorn's own limits for a chunk's first line and for the trailers.
MAX_IN_LINE = 8190
MAX_IN_TRAILERS = 32 * 1024
SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


class TooManyChunks(ValueError):
    """A chunked body has more chunks than any reasonable client sends."""


class BodyEnd(Protocol):
    """Finds the end of a body while its bytes arrive."""

    @property
    def is_found(self) -> bool: ...

    def take(self, data: memoryview) -> int:
        """Return how many of these bytes belong to the body. The others begin the next request."""


class FixedLengthBody:
    """A body whose length is known from Content-Length."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def is_found(self) -> bool:
        return self._left == 0

    def take(self, data: memoryview) -> int:
        taken = min(self._left, len(data))
        self._left -= taken
        return taken


class ChunkedBody:
    """A chunked body, which ends with the empty line after the chunk of size 0 and its trailers."""

    def __init__(self, most: int) -> None:
        self.is_found = False
        self._most = most
        self._line = bytearray()
        self._to_skip = 0
        self._trailers: int | None = None

    def take(self, data: memoryview) -> int:
        """Raises TooManyChunks."""
        position = 0
        while position < len(data) and not self.is_found:
            if self._to_skip:
                skipped = min(self._to_skip, len(data) - position)
                self._to_skip -= skipped
                position += skipped
            else:
                position += self._take_line(data[position : position + MAX_IN_LINE])
        return position

    def _take_line(self, data: memoryview) -> int:
        """Consume up to the end of the line, or everything if the line continues."""
        piece = bytes(data)
        end = piece.find(b"\n") + 1
        self._line += piece[:end] if end else piece
        if end:
            self._read_line(bytes(self._line))
            self._line.clear()
        elif len(self._line) > MAX_IN_LINE:
            self.is_found = True
        return end or len(piece)

    def _read_line(self, line: bytes) -> None:
        if self._trailers is not None:
            self._trailers += len(line)
            self.is_found = line == b"\r\n" or self._trailers > MAX_IN_TRAILERS
            return
        size = SIZE.fullmatch(line.removesuffix(b"\r\n").split(b";", 1)[0].rstrip(b" \t"))
        if size is None or not line.endswith(b"\r\n"):
            self.is_found = True
        elif length := int(size.group(), 16):
            self._begin_chunk(length)
        else:
            self._trailers = 0

    def _begin_chunk(self, length: int) -> None:
        self._to_skip = length + len(b"\r\n")
        self._most -= 1
        if self._most < 0:
            raise TooManyChunks("too many chunks")
