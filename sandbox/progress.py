"""What a long run says of itself on standard error, while it goes on."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.commands.terminal import escape_controls


def tell(text: Any) -> None:
    print(f"{time.strftime('%H:%M:%S')} {escape_controls(str(text))}", file=sys.stderr, flush=True)


@contextmanager
def timed(part: str, seconds: dict[str, float] | None = None) -> Iterator[None]:
    """Tell how long what happens inside took; `seconds` takes it down under the part's name."""
    began = time.monotonic()
    yield
    took = round(time.monotonic() - began, 1)
    if seconds is not None:
        seconds[part] = took
    tell(f"{part}: {took} s")
