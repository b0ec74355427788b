"""Limits on the size of request bodies, enforced while a body is read."""

from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest

from core.api.auth import HasApiKey
from core.api.errors import PayloadTooLarge

DRAIN_CHUNK_BYTES = 64 * 1024
MAX_DRAIN_BYTES = 16 * 1024 * 1024


class Body(Protocol):
    """What a body is read from: a Django request or its stream."""

    def read(self, size: int, /) -> bytes: ...


def find_body_limit(view: Any) -> int:
    """Return the size limit of a view's request bodies, in bytes.

    Depends on whether the view requires a key. Sending a key to a view that requires none does not raise the
    limit.
    """
    asks_for_key = any(issubclass(each, HasApiKey) for each in view.permission_classes)
    return int(settings.API_MAX_BODY_BYTES if asks_for_key else settings.API_MAX_KEYLESS_BODY_BYTES)


def read_body(request: HttpRequest, stream: Body, *, limit: int) -> bytes:
    """Read the whole body.

    Raises PayloadTooLarge. If Content-Length already exceeds the limit, nothing is kept in memory.
    """
    if read_length(request) > limit:
        drain(stream)
        raise PayloadTooLarge(limit)
    # One byte more than allowed, because a chunked body has no Content-Length.
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise PayloadTooLarge(limit)
    return body


def drain(stream: Body) -> None:
    """Read and discard up to 16 MB of the body.

    Most clients read the response only after they have sent everything. Closing the connection earlier would
    give them a connection error instead of the 413. A longer body still gets the connection closed.
    """
    for _ in range(MAX_DRAIN_BYTES // DRAIN_CHUNK_BYTES):
        if not stream.read(DRAIN_CHUNK_BYTES):
            break


def read_length(request: HttpRequest) -> int:
    """Return Content-Length in bytes. 0 if it is missing or invalid; Django then reads no body either."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
