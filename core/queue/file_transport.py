"""Celery's queue in files, for the embedded way to run: what is read is whole.

Kombu's own transport writes messages and bindings in place, and whoever looks at that moment reads half of
one and dies.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps

ATTEMPTS = 50


class Channel(filesystem.Channel):
    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override]
        """Oldest first by name; a file is given its name only when it is complete."""
        folder = Path(self.data_folder_out)
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        part = folder / f"{name}.part"
        part.write_text(dumps(message))
        part.rename(folder / name)

    def get_table(self, exchange: str) -> Any:
        return _patiently(super().get_table, exchange)

    def _queue_bind(self, *args: Any) -> Any:
        return _patiently(super()._queue_bind, *args)


class Transport(filesystem.Transport):
    Channel = Channel


def _patiently(read: Callable[..., Any], *args: Any) -> Any:
    """Bindings are written once, at start, within a moment: one that is half written is read again."""
    for _ in range(ATTEMPTS):
        try:
            return read(*args)
        except ValueError:
            sleep(0.02)
    return read(*args)
