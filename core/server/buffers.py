"""Buffers for requests and responses, and the budget of bytes that all of them share."""

import threading
from collections.abc import Callable
from tempfile import SpooledTemporaryFile

# Longer buffers are moved to a temporary file.
IN_MEMORY = 256 * 1024


class BufferBudget:
    """Counts the bytes buffered in this process. Thread-safe.

    `on_full` is called when the limit is exceeded, once until the count is below it again.
    """

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
            # Without the lock, which is not reentrant: making space counts bytes again.
            self._on_full()


class Buffer:
    """Bytes in order of arrival, in memory or, above 256 kB, in an unnamed temporary file."""

    def __init__(self, budget: BufferBudget) -> None:
        self._budget = budget
        self._file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._written = 0
        self._read = 0

    def __len__(self) -> int:
        return self._written - self._read

    def write(self, data: bytes | memoryview) -> None:
        # Reading and writing share the file's position.
        self._file.seek(self._written)
        self._file.write(data)
        self._written += len(data)
        self._budget.count(len(data))

    def peek(self, size: int) -> bytes:
        """Return the next bytes without consuming them."""
        self._file.seek(self._read)
        return self._file.read(size)

    def skip(self, size: int) -> None:
        self._read += size

    def read(self, size: int) -> bytes:
        data = self.peek(size)
        self.skip(len(data))
        return data

    def close(self) -> None:
        self._file.close()
        # Also what has been read: the file held it until now.
        self._budget.count(-self._written)
        self._written = self._read = 0
