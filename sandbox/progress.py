"""Log the progress of a long run to standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.commands.terminal import escape_controls


def log_progress(text: Any) -> None:
    print(f"{time.strftime('%H:%M:%S')} {escape_controls(str(text))}", file=sys.stderr, flush=True)


@contextmanager
def timed(part: str, seconds: dict[str, float] | None = None) -> Iterator[None]:
    """Log the duration of the block, and store it in `seconds` under `part`."""
    began = time.monotonic()
    yield
    took = round(time.monotonic() - began, 1)
    if seconds is not None:
        seconds[part] = took
    log_progress(f"{part}: {took} s")
