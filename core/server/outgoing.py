"""An answer on its way to a client that may not read it."""

import errno
import socket

from core.server.room import Room, Store

SEND_BYTES = 128 * 1024


class Outgoing:
    """What gunicorn writes an answer to. Nothing waits: bytes that the client does not take now are stored.

    A thread writes while a request is handled; afterwards the worker's loop sends what is left. An answer
    that is half a process's room ahead of its client is given up: whoever wrote it gets BrokenPipeError.
    """

    def __init__(self, raw: socket.socket, room: Room) -> None:
        self.raw = raw
        self.sent = 0
        self._room = room
        self._store: Store | None = None

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        if self.flush():
            rest = rest[self._send(rest) :]
        if rest:
            self._keep(rest)

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def flush(self) -> bool:
        """Send what is stored, as far as the client takes it. Whether nothing is left. Raises OSError."""
        while self._store is not None:
            piece = self._store.look(SEND_BYTES)
            if piece and not self._send_stored(self._store, piece):
                return False
            if not len(self._store):
                self.discard()
        return True

    def discard(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _send_stored(self, store: Store, piece: bytes) -> bool:
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

    def _keep(self, data: memoryview) -> None:
        self._store = self._store or Store(self._room)
        if len(self._store) > self._room.size // 2:
            raise BrokenPipeError(errno.EPIPE, "the client does not read its answer")
        self._store.write(data)

    # What else gunicorn asks of a socket. It never waits, and only the worker's loop closes it.

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
