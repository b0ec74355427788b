"""Bytes that wait, for a thread or for a client, and how many there are over all connections."""

import threading
from collections.abc import Callable
from tempfile import SpooledTemporaryFile

# What is longer lies on disk.
IN_MEMORY = 256 * 1024


class Room:
    """How many bytes wait in this process. Threads may count at once."""

    def __init__(self, size: int, on_full: Callable[[], None]) -> None:
        self.size = size
        self.held = 0
        self._on_full = on_full
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        return self.held > self.size

    def count(self, change: int) -> None:
        with self._lock:
            was_full, self.held = self.is_full, self.held + change
            is_new = self.is_full and not was_full
        if is_new:
            self._on_full()


class Store:
    """Bytes in the order in which they came, in memory or, where they are many, in a file without a name."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._written = 0
        self._read = 0

    def __len__(self) -> int:
        return self._written - self._read

    def write(self, data: bytes | memoryview) -> None:
        self._file.seek(self._written)
        self._file.write(data)
        self._written += len(data)
        self._room.count(len(data))

    def look(self, size: int) -> bytes:
        """The next bytes, which stay."""
        self._file.seek(self._read)
        return self._file.read(size)

    def skip(self, size: int) -> None:
        self._read += size

    def read(self, size: int) -> bytes:
        data = self.look(size)
        self.skip(len(data))
        return data

    def close(self) -> None:
        self._file.close()
        self._room.count(-self._written)
        self._written = self._read = 0
