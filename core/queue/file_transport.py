"""Celery's queue in files, for the embedded installation, with atomic writes.

Kombu's own file transport writes messages and bindings in place, so a reader at that moment gets half of one
and crashes.
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
        """Write a message to a temporary file and rename it, so that readers never see half of it.

        Names start with a timestamp, so that workers take the oldest first.
        """
        folder = Path(self.data_folder_out)
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        part = folder / f"{name}.part"
        part.write_text(dumps(message))
        part.rename(folder / name)

    def get_table(self, exchange: str) -> Any:
        return _retry_half_written(super().get_table, exchange)

    def _queue_bind(self, *args: Any) -> Any:
        return _retry_half_written(super()._queue_bind, *args)


class Transport(filesystem.Transport):
    Channel = Channel


def _retry_half_written(read: Callable[..., Any], *args: Any) -> Any:
    """Read again while a file is incomplete. Bindings are written once, within milliseconds of the start."""
    for _ in range(ATTEMPTS):
        try:
            return read(*args)
        except ValueError:
            sleep(0.02)
    return read(*args)
