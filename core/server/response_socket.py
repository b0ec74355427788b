"""The socket that gunicorn writes a response to, which buffers what the client does not read."""

import errno
import socket

from core.server.buffers import Buffer, BufferBudget

SEND_BYTES = 128 * 1024


class ResponseSocket:
    """Writes never block: bytes that the client does not accept now are buffered.

    A thread writes while it handles a request; afterwards the worker's loop sends the rest. A response that
    gets half of the byte budget ahead of its client is aborted: the thread gets BrokenPipeError.
    """

    def __init__(self, raw: socket.socket, budget: BufferBudget) -> None:
        self.raw = raw
        self.sent = 0
        self._budget = budget
        self._store: Buffer | None = None

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        if self.flush():
            # Only when nothing is buffered, or bytes would overtake earlier ones.
            rest = rest[self._send(rest) :]
        if rest:
            self._store_bytes(rest)

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def flush(self) -> bool:
        """Send as much of the buffer as the client accepts. Return whether it is empty. Raises OSError."""
        while self._store is not None:
            piece = self._store.peek(SEND_BYTES)
            if piece and not self._send_stored(self._store, piece):
                return False
            if not len(self._store):
                self.discard()
        return True

    def discard(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _send_stored(self, store: Buffer, piece: bytes) -> bool:
        taken = self._send(memoryview(piece))
        store.skip(taken)
        return taken == len(piece)

    def _send(self, data: memoryview) -> int:
        taken = 0
        try:
            while taken < len(data):
                taken += self.raw.send(data[taken:])
        except BlockingIOError:
            pass
        self.sent += taken
        return taken

    def _store_bytes(self, data: memoryview) -> None:
        self._store = self._store or Buffer(self._budget)
        if len(self._store) > self._budget.size // 2:
            raise BrokenPipeError(errno.EPIPE, "the client does not read its answer")
        self._store.write(data)

    # Other methods that gunicorn calls. Nothing blocks, and only the worker's loop closes the socket.

    def fileno(self) -> int:
        return self.raw.fileno()

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, flag: bool) -> None:
        pass

    def settimeout(self, value: float | None) -> None:
        pass

    def shutdown(self, how: int) -> None:
        raise OSError(errno.ENOTCONN, "the worker's loop ends connections")

    def close(self) -> None:
        pass
