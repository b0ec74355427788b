"""How large a request's body may be, and reading it no further than that."""

from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest

from core.api.auth import HasApiKey
from core.api.errors import PayloadTooLarge

DRAINED_AT_ONCE = 64 * 1024
MOST_DRAINED = 16 * 1024 * 1024


class Body(Protocol):
    """What a body is read from: a request, or its stream."""

    def read(self, size: int, /) -> bytes: ...


def find_body_limit(view: Any) -> int:
    """In bytes, by whether a key is needed; one that is sent where none is needed changes nothing."""
    asks_for_key = any(issubclass(each, HasApiKey) for each in view.permission_classes)
    return int(settings.API_MAX_BODY_BYTES if asks_for_key else settings.API_MAX_KEYLESS_BODY_BYTES)


def read_body(request: HttpRequest, stream: Body, *, limit: int) -> bytes:
    """The whole body. Raises PayloadTooLarge, by the announced length without keeping any of it."""
    if read_length(request) > limit:
        drain(stream)
        raise PayloadTooLarge(limit)
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise PayloadTooLarge(limit)
    return body


def drain(stream: Body) -> None:
    """Read and drop what is being sent: most clients look for an answer only after the last byte.

    Where there is too much of it, the connection is closed under them all the same.
    """
    for _ in range(MOST_DRAINED // DRAINED_AT_ONCE):
        if not stream.read(DRAINED_AT_ONCE):
            break


def read_length(request: HttpRequest) -> int:
    """The announced length of the body; 0 where there is none, and then Django reads nothing either."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
